package io.llamaorch.orchestratord.artifacts.store;

import io.llamaorch.orchestratord.contracts.artifact.ArtifactKind;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How an artifact is described that is about to be stored.
 *
 * @param kind what it is
 * @param mediaType visible ASCII and spaces
 * @param tags at most {@link #TAGS_MAX}, each {@link #isTag}
 * @param parent the artifact of the same owner that it comes from, or null
 * @param pinned whether it is to be kept whatever its age
 */
public record ArtifactDraft(
        ArtifactKind kind, String mediaType, List<String> tags, @Nullable Digest parent, boolean pinned) {
    /** Most tags. */
    public static final int TAGS_MAX = 32;

    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}");

    /** Whether a text can be a tag: such as can stand in a header line as it is. */
    public static boolean isTag(String text) {
        return TAG.matcher(text).matches();
    }
}
