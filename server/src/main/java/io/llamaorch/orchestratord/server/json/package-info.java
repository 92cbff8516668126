/**
 * JSON at the server's edge: request bodies straight into wire types, answers straight into bytes; no data binding.
 *
 * <p><b>Owner thread:</b> whoever made the object; readers and writers keep scratch space and are not shared.
 *
 * <p><b>May import:</b> {@code contracts}, {@code scheduler.core}'s values, {@code server.config}'s words, jackson-core, {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.server.json;

import org.jspecify.annotations.NullMarked;
