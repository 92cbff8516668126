package io.llamaorch.orchestratord.bench.report;

/** The figures that a report can hold; their numbers are those of the project's bars. */
enum Figure {
    P1,
    P3,
    P5,
    P8,
    /** P1, P3, P5 and P8. */
    ALL;

    boolean includes(Figure other) {
        return this == ALL || this == other;
    }
}
