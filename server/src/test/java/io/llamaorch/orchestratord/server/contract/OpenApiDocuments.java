package io.llamaorch.orchestratord.server.contract;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SchemaRegistryConfig;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonPointer;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/**
 * The three OpenAPI files from the class path, as one graph: references are followed over file borders, and each
 * schema is found by where it stands. Formats are asserted. Safe on every thread.
 */
final class OpenApiDocuments {

    /** Where a node stands: its file and its JSON pointer. */
    record Located(String document, String pointer, JsonNode node) {}

    private static final String BASE = "https://orchestratord.invalid/openapi/";
    private static final List<String> NAMES = List.of("common", "data", "control");

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private final Map<String, JsonNode> roots;
    private final SchemaRegistry registry;
    private final Map<String, Schema> schemas = new ConcurrentHashMap<>();

    private OpenApiDocuments(Map<String, JsonNode> roots) {
        this.roots = roots;
        Map<String, String> texts = new LinkedHashMap<>();
        roots.forEach((name, root) -> texts.put(BASE + name + ".json", root.toString()));
        this.registry =
                SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12, builder -> builder.schemas(texts)
                        .schemaRegistryConfig(SchemaRegistryConfig.builder()
                                .formatAssertionsEnabled(true)
                                .build()));
    }

    /** Reads the files that the {@code contracts} module ships. */
    static OpenApiDocuments load() {
        Map<String, JsonNode> roots = new LinkedHashMap<>();
        for (String name : NAMES) {
            roots.put(name, readYaml("/openapi/" + name + ".yaml"));
        }
        return new OpenApiDocuments(roots);
    }

    /** Reads JSON strictly: no duplicate member, nothing after the value. */
    static JsonNode readJson(String text) throws JacksonException {
        return JSON.readTree(text);
    }

    /** Reads YAML 1.2 strictly. */
    static JsonNode readYamlText(String text) {
        return JSON.valueToTree(new Load(LoadSettings.builder().build()).loadFromString(text));
    }

    private static JsonNode readYaml(String resource) {
        try (InputStream in = Objects.requireNonNull(OpenApiDocuments.class.getResourceAsStream(resource), resource)) {
            Object tree = new Load(LoadSettings.builder().setLabel(resource).build()).loadFromInputStream(in);
            return withJsonReferences(JSON.valueToTree(tree));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The schema library tells a document's syntax by its name, and gets JSON from us. */
    private static JsonNode withJsonReferences(JsonNode node) {
        if (node instanceof ObjectNode object) {
            for (Map.Entry<String, JsonNode> member : List.copyOf(object.properties())) {
                if (member.getKey().equals("$ref")) {
                    String target = member.getValue().asString().replace(".yaml#", ".json#");
                    object.set("$ref", StringNode.valueOf(target));
                } else {
                    withJsonReferences(member.getValue());
                }
            }
        } else if (node instanceof ArrayNode) {
            node.forEach(OpenApiDocuments::withJsonReferences);
        }
        return node;
    }

    /** The names of the documents. */
    List<String> names() {
        return NAMES;
    }

    Located root(String document) {
        return new Located(document, "", Objects.requireNonNull(roots.get(document), document));
    }

    /** The member with that name, references followed; null where there is none. */
    @Nullable
    Located child(@Nullable Located parent, String name) {
        if (parent == null) {
            return null;
        }
        JsonNode child = parent.node().get(name);
        if (child == null) {
            return null;
        }
        String escaped = name.replace("~", "~0").replace("/", "~1");
        return follow(new Located(parent.document(), parent.pointer() + "/" + escaped, child));
    }

    /** The element at that index, references followed. */
    Located element(Located parent, int index) {
        JsonNode element = Objects.requireNonNull(parent.node().get(index));
        return follow(new Located(parent.document(), parent.pointer() + "/" + index, element));
    }

    private Located follow(Located from) {
        Located at = from;
        while (at.node().isObject() && at.node().size() == 1 && at.node().has("$ref")) {
            String reference = at.node().path("$ref").asString();
            int hash = reference.indexOf('#');
            String file = reference.substring(0, hash);
            String document = file.isEmpty() ? at.document() : file.replace(".json", "");
            String pointer = reference.substring(hash + 1);
            JsonNode target = root(document).node().at(JsonPointer.compile(pointer));
            if (target.isMissingNode()) {
                throw new IllegalStateException(at.document() + ".yaml " + at.pointer() + ": nothing at " + reference);
            }
            at = new Located(document, pointer, target);
        }
        return at;
    }

    /** What is wrong with the value, one line each; empty where it is valid. */
    List<String> validate(Located schema, JsonNode value) {
        String location = BASE + schema.document() + ".json#" + schema.pointer();
        Schema compiled = schemas.computeIfAbsent(location, at -> registry.getSchema(SchemaLocation.of(at)));
        List<String> problems = new ArrayList<>();
        for (Error error : compiled.validate(value)) {
            problems.add(error.getInstanceLocation() + ": " + error.getMessage());
        }
        return problems;
    }
}
