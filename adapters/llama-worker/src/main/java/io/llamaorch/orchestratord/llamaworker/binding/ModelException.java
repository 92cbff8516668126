package io.llamaorch.orchestratord.llamaworker.binding;

/** llama.cpp refuses a model or can't make room for it; the message says why. */
public final class ModelException extends Exception {
    private static final long serialVersionUID = 1L;

    ModelException(String message) {
        super(message);
    }
}
