package io.llamaorch.orchestratord.server.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A value as written, with its place: what the layers are merged on before anything is bound. */
sealed interface Tree {

    /** Where the value starts. */
    Origin at();

    /** The word an operator would use for this kind of value. */
    String kind();

    /**
     * A single value.
     *
     * @param text as written, without quotes
     * @param plain whether it stood without quotes, so that it may be a number or a boolean
     */
    record Scalar(String text, boolean plain, Origin at) implements Tree {

        /** Whether the key has no value: nothing, {@code ~} or {@code null}. */
        boolean isNull() {
            return plain && (text.isEmpty() || text.equals("~") || text.equals("null"));
        }

        @Override
        public String kind() {
            return isNull() ? "nothing" : "a single value";
        }
    }

    /**
     * Keys and values in the order written; overlays change it in place.
     *
     * @param entries by key
     */
    record Mapping(Map<String, Entry> entries, Origin at) implements Tree {
        Mapping(Origin at) {
            this(new LinkedHashMap<>(), at);
        }

        @Override
        public String kind() {
            return "a mapping";
        }
    }

    /**
     * One key of a mapping.
     *
     * @param keyAt where the key stands
     */
    record Entry(Origin keyAt, Tree value) {}

    /**
     * A list; overlays change it in place.
     *
     * @param items in order
     */
    record Sequence(List<Tree> items, Origin at) implements Tree {
        Sequence(Origin at) {
            this(new ArrayList<>(), at);
        }

        @Override
        public String kind() {
            return "a list";
        }
    }
}
