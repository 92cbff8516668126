package io.llamaorch.orchestratord.server.config;

/**
 * One scalar key as it takes effect.
 *
 * @param path key in dotted form
 * @param value its value as text; {@code (hidden)} for digests of keys
 * @param origin who gave it
 */
public record EffectiveValue(String path, String value, Origin origin) {}
