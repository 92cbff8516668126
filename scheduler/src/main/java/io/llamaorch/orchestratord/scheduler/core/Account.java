package io.llamaorch.orchestratord.scheduler.core;

import org.jspecify.annotations.Nullable;

/** What one key may use, and what it does. Owned by the scheduler's thread. */
final class Account {
    final String owner;
    final Budget budget;
    AccountSpec spec;

    /** Tasks queued or running. */
    int open;

    @Nullable
    RateBucket requests;

    @Nullable
    RateBucket tokens;

    Account(String owner, AccountSpec spec, long nowNs) {
        this.owner = owner;
        this.spec = spec;
        this.budget = new Budget(spec.budget());
        limit(spec.limits(), nowNs);
    }

    /** Other limits from now on: a bucket whose size changed is full again. */
    void spec(AccountSpec newSpec, long nowNs) {
        spec = newSpec;
        budget.limit(newSpec.budget());
        limit(newSpec.limits(), nowNs);
    }

    private void limit(RateLimits limits, long nowNs) {
        requests = bucket(requests, limits.requestsPerMinute(), nowNs);
        tokens = bucket(tokens, limits.tokensPerMinute(), nowNs);
    }

    private static @Nullable RateBucket bucket(@Nullable RateBucket was, int limit, long nowNs) {
        if (limit == 0) {
            return null;
        }
        return was != null && was.limit() == limit ? was : new RateBucket(limit, nowNs);
    }

    int queueWeight() {
        return spec.limits().queueWeight();
    }
}
