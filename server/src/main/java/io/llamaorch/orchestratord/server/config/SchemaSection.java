package io.llamaorch.orchestratord.server.config;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Writes down what {@link ConfigBinding} asks for: the JSON Schema of the file, and the paths of its scalar keys. */
final class SchemaSection implements Section {
    private static final String BYTES_PATTERN = "^[0-9]+ ?(B|KiB|MiB|GiB)?$";

    private final String path;
    private final List<String> scalarPaths;
    private final Map<String, Object> properties = new LinkedHashMap<>();
    private final List<String> required = new ArrayList<>();

    private SchemaSection(String path, List<String> scalarPaths) {
        this.path = path;
        this.scalarPaths = scalarPaths;
    }

    /** Paths of all scalar keys, {@code *} for the index in a list, such as {@code pools.*.queue.capacity}. */
    static List<String> scalarPaths() {
        List<String> paths = new ArrayList<>();
        ConfigBinding.bind(new SchemaSection("", paths));
        return paths;
    }

    /** What is known of a key: its members in a JSON Schema; null where there is none of that path. */
    static @Nullable Map<String, Object> describe(String path) {
        SchemaSection root = new SchemaSection("", new ArrayList<>());
        ConfigBinding.bind(root);
        Map<String, Object> found = new LinkedHashMap<>();
        root.describe(found);
        for (String step : path.split("\\.", -1)) {
            boolean inList = "array".equals(found.get("type"));
            boolean index = step.equals("*") || Words.parseLong(step).isPresent();
            Object next = inList && index ? found.get("items") : null;
            if (!inList && found.get("properties") instanceof Map<?, ?> members) {
                next = members.get(step);
            }
            if (!(next instanceof Map<?, ?> inner)) {
                return null;
            }
            found = new LinkedHashMap<>();
            for (Map.Entry<?, ?> member : inner.entrySet()) {
                found.put(String.valueOf(member.getKey()), member.getValue());
            }
        }
        return found;
    }

    /** The JSON Schema (2020-12) of the configuration file, indented by two spaces, with a newline at the end. */
    static String jsonSchema() {
        SchemaSection root = new SchemaSection("", new ArrayList<>());
        ConfigBinding.bind(root);
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.put("$id", "https://llama-orch.invalid/orchestratord/config.schema.json");
        schema.put("title", "orchestratord configuration file");
        schema.put(
                "description",
                "Written by ConfigSchemaTest from the daemon's own binding; do not edit. Names that repeat, addresses"
                        + " and cross checks are checked by `orchestratord check`.");
        root.describe(schema);
        StringWriter out = new StringWriter();
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        DefaultPrettyPrinter printer = new DefaultPrettyPrinter(
                        Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER))
                .withObjectIndenter(indenter);
        printer.indentArraysWith(indenter);
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.setPrettyPrinter(printer);
            write(json, schema);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.append('\n').toString();
    }

    @Override
    public long number(String key, long min, long max, long byDefault, String doc) {
        Map<String, Object> schema = scalar(key, "integer", doc);
        range(schema, min, max);
        byDefault(key, schema, byDefault == REQUIRED ? null : byDefault);
        return byDefault == REQUIRED ? min : byDefault;
    }

    @Override
    public long bytes(String key, long min, long max, long byDefault, String doc) {
        Map<String, Object> schema = scalar(key, List.of("integer", "string"), doc);
        range(schema, min, max);
        schema.put("pattern", BYTES_PATTERN);
        byDefault(key, schema, byDefault == REQUIRED ? null : Words.formatBytes(byDefault));
        return byDefault == REQUIRED ? min : byDefault;
    }

    @Override
    public boolean flag(String key, boolean byDefault, String doc) {
        byDefault(key, scalar(key, "boolean", doc), byDefault);
        return byDefault;
    }

    @Override
    public @Nullable String text(String key, @Nullable String byDefault, String doc) {
        Map<String, Object> schema = scalar(key, "string", doc);
        schema.put("minLength", 1);
        if (byDefault != null) {
            schema.put("default", byDefault);
        }
        return byDefault;
    }

    @Override
    public String requiredText(String key, String doc) {
        scalar(key, "string", doc).put("minLength", 1);
        required.add(key);
        return "";
    }

    @Override
    public <E> E choice(String key, List<E> choices, Function<E, String> word, @Nullable E byDefault, String doc) {
        Map<String, Object> schema = scalar(key, "string", doc);
        schema.put("enum", choices.stream().map(word).toList());
        byDefault(key, schema, byDefault == null ? null : word.apply(byDefault));
        return byDefault == null ? choices.get(0) : byDefault;
    }

    @Override
    public <E> List<E> choices(String key, List<E> choices, Function<E, String> word, List<E> byDefault, String doc) {
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("description", doc);
        schema.put("type", "array");
        schema.put("items", Map.of("enum", choices.stream().map(word).toList()));
        schema.put("default", byDefault.stream().map(word).toList());
        properties.put(key, schema);
        return byDefault;
    }

    @Override
    public Map<String, String> textMap(String key, int max, String doc) {
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("description", doc);
        schema.put("type", "object");
        schema.put("maxProperties", max);
        schema.put("additionalProperties", Map.of("type", List.of("string", "number", "boolean")));
        properties.put(key, schema);
        return Map.of();
    }

    @Override
    public List<String> texts(String key, int max, String doc) {
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("description", doc);
        schema.put("type", "array");
        schema.put("maxItems", max);
        schema.put("items", Map.of("type", List.of("string", "number", "boolean")));
        properties.put(key, schema);
        return List.of();
    }

    @Override
    public BigDecimal decimal(String key, BigDecimal most, int scale, String doc) {
        Map<String, Object> schema = scalar(key, List.of("number", "string"), doc);
        range(schema, 0, most.longValueExact());
        schema.put("pattern", "^[0-9]{1,12}(\\.[0-9]{1," + scale + "})?$");
        schema.put("default", 0);
        return BigDecimal.ZERO;
    }

    @Override
    public <T> T section(String key, Function<Section, T> bind, String doc) {
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("description", doc);
        SchemaSection inner = new SchemaSection(child(key), scalarPaths);
        T value = bind.apply(inner);
        inner.describe(schema);
        properties.put(key, schema);
        return value;
    }

    @Override
    public <T> List<T> list(String key, int min, int max, Function<Section, T> bind, String doc) {
        SchemaSection inner = new SchemaSection(child(key) + ".*", scalarPaths);
        T value = bind.apply(inner);
        Map<String, Object> items = new LinkedHashMap<>();
        inner.describe(items);
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("description", doc);
        schema.put("type", "array");
        schema.put("minItems", min);
        schema.put("maxItems", max);
        schema.put("items", items);
        properties.put(key, schema);
        if (min > 0) {
            required.add(key);
        }
        return List.of(value);
    }

    @Override
    public void problem(String key, String message) {}

    @Override
    public Origin origin(String key) {
        return Origin.DEFAULT;
    }

    @Override
    public boolean sound(String key) {
        return false;
    }

    @Override
    public boolean reading() {
        return false;
    }

    private Map<String, Object> scalar(String key, Object type, String doc) {
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("description", doc);
        schema.put("type", type);
        properties.put(key, schema);
        scalarPaths.add(child(key));
        return schema;
    }

    private static void range(Map<String, Object> schema, long min, long max) {
        schema.put("minimum", min);
        schema.put("maximum", max);
    }

    private void byDefault(String key, Map<String, Object> schema, @Nullable Object value) {
        if (value == null) {
            required.add(key);
        } else {
            schema.put("default", value);
        }
    }

    private void describe(Map<String, Object> schema) {
        schema.put("type", "object");
        schema.put("additionalProperties", false);
        if (!required.isEmpty()) {
            schema.put("required", required);
        }
        schema.put("properties", properties);
    }

    private String child(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    @SuppressWarnings("IfChainToSwitch") // the formatter reads Java 17
    private static void write(JsonGenerator json, @Nullable Object value) throws IOException {
        if (value instanceof Map<?, ?> map) {
            json.writeStartObject();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                json.writeFieldName(String.valueOf(entry.getKey()));
                write(json, entry.getValue());
            }
            json.writeEndObject();
        } else if (value instanceof List<?> list) {
            json.writeStartArray();
            for (Object item : list) {
                write(json, item);
            }
            json.writeEndArray();
        } else if (value instanceof Boolean flag) {
            json.writeBoolean(flag);
        } else if (value instanceof Number number) {
            json.writeNumber(number.longValue());
        } else {
            json.writeString(String.valueOf(value));
        }
    }
}
