package io.llamaorch.orchestratord.artifacts.disk;

/** Why a folder is not used; the message names it and says what to do. Nothing in it was changed. */
public final class FolderRefused extends Exception {
    private static final long serialVersionUID = 1;

    public FolderRefused(String message) {
        super(message);
    }

    public FolderRefused(String message, Throwable cause) {
        super(message, cause);
    }
}
