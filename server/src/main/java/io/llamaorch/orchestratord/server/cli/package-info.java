/**
 * The command line: {@code serve}, {@code check}, {@code config}, {@code bundle}, {@code version}.
 *
 * <p>Exit status: 0 fine, 1 findings or a failed run, 2 wrong usage or an unreadable file; the launcher adds 78 for a
 * missing Java. {@code serve} with plain arguments never loads picocli, whose start costs more than reading the
 * configuration.
 *
 * <p><b>May import:</b> {@code server.config}, {@code server.Daemon}, picocli, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.server.cli;

import org.jspecify.annotations.NullMarked;
