package io.llamaorch.orchestratord.server.config;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One mapping of the configuration as {@link ConfigBinding} sees it: each call names a key, its type, range, default
 * and meaning, and gets its value.
 *
 * <p>{@link NodeSection} reads values and reports problems; {@link SchemaSection} writes down what was asked. A call
 * always returns a usable value: after a problem it is the default.
 */
interface Section {
    /** As a default: the key must be given. */
    long REQUIRED = Long.MIN_VALUE;

    /** A whole number in {@code [min, max]}. */
    long number(String key, long min, long max, long byDefault, String doc);

    /** A size in bytes in {@code [min, max]}: a number, or one with a unit such as {@code 64KiB}. */
    long bytes(String key, long min, long max, long byDefault, String doc);

    /** {@code true} or {@code false}. */
    boolean flag(String key, boolean byDefault, String doc);

    /** Text; null where it is neither given nor has a default. */
    @Nullable
    String text(String key, @Nullable String byDefault, String doc);

    /** Text that must be given and be non-empty. */
    String requiredText(String key, String doc);

    /** One of a few words; the first of {@code choices} after a problem; {@code byDefault} null: must be given. */
    <E> E choice(String key, List<E> choices, Function<E, String> word, @Nullable E byDefault, String doc);

    /** A list of such words. */
    <E> List<E> choices(String key, List<E> choices, Function<E, String> word, List<E> byDefault, String doc);

    /** A mapping of names to text, at most {@code max}; empty where it is not given. */
    Map<String, String> textMap(String key, int max, String doc);

    /** A list of texts, at most {@code max}; empty where it is not given. */
    List<String> texts(String key, int max, String doc);

    /** A decimal number in {@code [0, most]} of at most {@code scale} decimals, exact; 0 where it is not given. */
    BigDecimal decimal(String key, BigDecimal most, int scale, String doc);

    /** A mapping inside this one; where it is not given, one that holds nothing. */
    <T> T section(String key, Function<Section, T> bind, String doc);

    /** A list of {@code [min, max]} mappings. */
    <T> List<T> list(String key, int min, int max, Function<Section, T> bind, String doc);

    /** A problem with the value of {@code key}. */
    void problem(String key, String message);

    /** Whether {@code key} was given and nothing was wrong with it, so that other keys can be held against it. */
    boolean sound(String key);

    /** Who gave {@code key}. */
    Origin origin(String key);

    /** Whether values are read, so that checks beyond types make sense. */
    boolean reading();

    /** A whole number that fits an int. */
    default int integer(String key, int min, int max, long byDefault, String doc) {
        return (int) number(key, min, max, byDefault, doc);
    }

    /** A size in bytes that fits an int. */
    default int intBytes(String key, int min, int max, long byDefault, String doc) {
        return (int) bytes(key, min, max, byDefault, doc);
    }
}
