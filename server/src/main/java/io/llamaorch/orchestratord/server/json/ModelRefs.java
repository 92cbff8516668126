package io.llamaorch.orchestratord.server.json;

import org.jspecify.annotations.Nullable;

/**
 * The form of a {@code model_ref}: {@code hf:org/repo[/file]}, {@code file:/path}, {@code https://host/…}, {@code
 * s3://bucket/…}, {@code oci://registry/…} or a relative path. Visible ASCII, 1–512 characters, no {@code ..} segment.
 */
public final class ModelRefs {
    /** Longest reference, characters. */
    public static final int CHARS_MAX = 512;

    private ModelRefs() {}

    /** What is wrong with the reference, or null. */
    public static @Nullable String problem(String ref) {
        if (ref.isEmpty() || ref.length() > CHARS_MAX) {
            return "must have 1 to " + CHARS_MAX + " characters";
        }
        for (int i = 0; i < ref.length(); i++) {
            if (ref.charAt(i) <= ' ' || ref.charAt(i) > '~') {
                return "must be visible ASCII without spaces";
            }
        }
        if (ref.startsWith("hf:")) {
            int slashes = segments(ref, 3);
            return slashes >= 2 ? null : "must be hf:org/repo or hf:org/repo/file";
        }
        if (ref.startsWith("file:")) {
            return ref.startsWith("file:/") && segments(ref, 6) >= 1 ? null : "must be file:/path";
        }
        int scheme = ref.indexOf("://");
        if (ref.startsWith("https://") || ref.startsWith("s3://") || ref.startsWith("oci://")) {
            return segments(ref, scheme + 3) >= 2 ? null : "must name a host or bucket and a path behind ://";
        }
        int colon = ref.indexOf(':');
        int slash = ref.indexOf('/');
        if (colon >= 0 && (slash < 0 || colon < slash)) {
            return "has a scheme that is none of hf, file, https, s3, oci";
        }
        return ref.charAt(0) != '/' && segments(ref, 0) >= 1
                ? null
                : "must be a relative path; an absolute one is file:/path";
    }

    /** Number of segments behind {@code from}; 0 where one is empty, {@code .} or {@code ..}. */
    private static int segments(String ref, int from) {
        int count = 0;
        int start = from;
        for (int i = from; i <= ref.length(); i++) {
            if (i == ref.length() || ref.charAt(i) == '/') {
                int length = i - start;
                boolean dots = length > 0 && length <= 2 && ref.charAt(start) == '.' && ref.charAt(i - 1) == '.';
                if (length == 0 || dots) {
                    return 0;
                }
                count++;
                start = i + 1;
            }
        }
        return count;
    }
}
