/**
 * The configuration: one YAML file, then the environment, then {@code --set}, bound to immutable records.
 *
 * <p>Flow: {@code YamlTree (file) -> Overlay (environment, --set) -> ConfigBinding over a Section -> CrossChecks}. The
 * same binding run over a {@code SchemaSection} yields the JSON Schema for editors and the list of keys, so that file,
 * schema and environment cannot disagree. All problems of a file are reported together, each with its place.
 *
 * <p><b>Threads:</b> none of its own; everything is confined to the caller or immutable.
 *
 * <p><b>May import:</b> {@code contracts}, {@code scheduler.core.PoolSpec}, snakeyaml-engine, jackson-core.
 */
@NullMarked
package io.llamaorch.orchestratord.server.config;

import org.jspecify.annotations.NullMarked;
