package io.llamaorch.orchestratord.bench.load;

/** How events say what they are. */
public enum Dialect {
    /** Named events with ids: {@code started}, {@code token}, {@code metrics}, {@code end}, {@code error}. */
    DAEMON,
    /** llama.cpp's {@code /completion}: a data line with {@code "stop":false} is a token, with {@code true} the end. */
    LLAMACPP,
    /** Chat completions: a data line with {@code "content":"} is a token, {@code [DONE]} is the end. */
    OPENAI
}
