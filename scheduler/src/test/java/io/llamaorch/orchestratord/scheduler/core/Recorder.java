package io.llamaorch.orchestratord.scheduler.core;

import io.llamaorch.orchestratord.contracts.error.ApiError;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Effects as lines, such as {@code dispatched a default/r0/0}. */
final class Recorder implements Effects<String> {
    final List<String> log = new ArrayList<>();
    final List<ApiError> errors = new ArrayList<>();
    final List<Admission> admissions = new ArrayList<>();
    final List<Charge> charges = new ArrayList<>();

    @Nullable
    Allowance refusedWith;

    final List<Dispatch> dispatches = new ArrayList<>();

    ApiError lastError() {
        return errors.get(errors.size() - 1);
    }

    Admission lastAdmission() {
        return admissions.get(admissions.size() - 1);
    }

    Dispatch lastDispatch() {
        return dispatches.get(dispatches.size() - 1);
    }

    @Override
    public void admitted(String task, Admission admission) {
        admissions.add(admission);
        log.add("admitted " + task + " " + admission.queuePosition());
    }

    @Override
    public void replayed(String offered, String existing, Admission admission) {
        admissions.add(admission);
        log.add("replayed " + offered + " " + existing + " " + admission.queuePosition());
    }

    @Override
    public void refused(String offered, ApiError error, @Nullable Allowance allowance) {
        errors.add(error);
        refusedWith = allowance;
        log.add("refused " + offered + " " + error.code());
    }

    @Override
    public void dispatched(String task, Dispatch dispatch) {
        dispatches.add(dispatch);
        log.add("dispatched " + task + " " + dispatch.poolId() + "/" + dispatch.replicaId() + "/"
                + dispatch.lease().slotIndex());
    }

    @Override
    public void evicted(String task, ApiError error) {
        errors.add(error);
        log.add("evicted " + task + " " + error.code());
    }

    @Override
    public void moved(String task, Admission admission) {
        admissions.add(admission);
        log.add("moved " + task + " " + admission.poolId() + " " + admission.queuePosition());
    }

    @Override
    public void retryRefused(String task) {
        log.add("retryRefused " + task);
    }

    @Override
    public void aborted(String task, ApiError error) {
        errors.add(error);
        log.add("aborted " + task + " " + error.code());
    }

    @Override
    public void settled(String task, Charge charge) {
        charges.add(charge);
    }

    @Override
    public void answered(String task, Admission admission) {
        admissions.add(admission);
        log.add("answered " + task + " " + admission.queuePosition());
    }
}
