/**
 * The report: starts what is compared, measures each in turn in the same run, writes medians and ratios as Markdown.
 *
 * <p>Processes are started from the main thread and ended by their id on every way out.
 */
@NullMarked
package io.llamaorch.orchestratord.bench.report;

import org.jspecify.annotations.NullMarked;
