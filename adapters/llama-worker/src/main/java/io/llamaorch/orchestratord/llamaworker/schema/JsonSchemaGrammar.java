package io.llamaorch.orchestratord.llamaworker.schema;

import com.fasterxml.jackson.core.JsonParser;
import io.llamaorch.orchestratord.llamaworker.schema.SchemaTree.Literal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The grammar of the JSON texts that a schema allows, or of a part of them: properties come in the schema's order, those
 * that it does not name do not come where it names any, at most one blank follows a colon or comma.
 *
 * <table>
 *   <caption>Limits</caption>
 *   <tr><td>{@value #RULES_MAX} rules</td><td>of the grammar</td></tr>
 *   <tr><td>{@value #REPEAT_MAX}</td><td>{@code minLength, maxLength, minItems, maxItems}: llama.cpp writes repeats out</td></tr>
 * </table>
 *
 * <p>Keywords: {@code type, properties, required, additionalProperties, items, minItems, maxItems, minLength, maxLength,
 * enum, const, anyOf, oneOf} (as {@code anyOf}); notes such as {@code title} say nothing. Any other is refused: it would
 * be broken silently.
 */
public final class JsonSchemaGrammar {
    static final int RULES_MAX = 1_000;
    static final int REPEAT_MAX = 1_000;

    private static final Set<String> NOTES = Set.of(
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly",
            "$schema",
            "$id",
            "$comment");
    private static final Set<String> WITH_TYPE = Set.of(
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "minItems",
            "maxItems",
            "minLength",
            "maxLength");
    private static final Map<String, Set<String>> TYPE_OF = typeOf();
    private static final String COMMON =
            """
            sp ::= " "?
            char ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})
            string ::= "\\"" char* "\\""
            integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
            number ::= integer ("." [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?
            boolean ::= "true" | "false"
            null ::= "null"
            value ::= object | array | string | number | boolean | null
            member ::= string ":" sp value
            object ::= "{" (member ("," sp member)*)? "}"
            array ::= "[" (value ("," sp value)*)? "]"
            """;

    private final Map<String, String> rules = new LinkedHashMap<>();

    private JsonSchemaGrammar() {}

    /** The grammar for the schema that {@code p} is at; moves {@code p} to its end. */
    public static String read(JsonParser p) throws IOException, SchemaException {
        JsonSchemaGrammar grammar = new JsonSchemaGrammar();
        String root = grammar.expression(SchemaTree.read(p));
        StringBuilder out = new StringBuilder("root ::= ").append(root).append('\n');
        grammar.rules.forEach(
                (name, rule) -> out.append(name).append(" ::= ").append(rule).append('\n'));
        return out.append(COMMON).toString();
    }

    private static Map<String, Set<String>> typeOf() {
        Map<String, Set<String>> types = new LinkedHashMap<>();
        types.put("object", Set.of("properties", "required", "additionalProperties"));
        types.put("array", Set.of("items", "minItems", "maxItems"));
        types.put("string", Set.of("minLength", "maxLength"));
        return types;
    }

    /** An expression that can stand anywhere. */
    private String expression(Object schema) throws SchemaException {
        if (schema instanceof Literal literal && literal.text().equals("true")) {
            return "value";
        }
        if (!(schema instanceof Map<?, ?> members)) {
            throw new SchemaException("a schema in it is neither an object nor true");
        }
        for (String choice : List.of("anyOf", "oneOf")) {
            if (members.get(choice) instanceof List<?> options) {
                onlyWith(members, Set.of(choice));
                return alternatives(options);
            }
        }
        if (members.get("enum") instanceof List<?> values && !values.isEmpty()) {
            onlyWith(members, Set.of("enum", "type"));
            return values.stream().map(JsonSchemaGrammar::constant).collect(Collectors.joining(" | ", "(", ")"));
        }
        Object constant = members.get("const");
        if (constant != null) {
            onlyWith(members, Set.of("const", "type"));
            return constant(constant);
        }
        onlyWith(members, WITH_TYPE);
        return typed(members);
    }

    private static void onlyWith(Map<?, ?> members, Set<String> known) throws SchemaException {
        for (Object name : members.keySet()) {
            if (!known.contains(name.toString()) && !NOTES.contains(name.toString())) {
                throw new SchemaException("this worker has no \"" + name + "\" of json_schema"
                        + (WITH_TYPE.contains(name.toString()) ? " beside " + known : ""));
            }
        }
    }

    private String alternatives(List<?> schemas) throws SchemaException {
        if (schemas.isEmpty()) {
            throw new SchemaException("json_schema has a choice of nothing");
        }
        List<String> options = new ArrayList<>();
        for (Object schema : schemas) {
            options.add(expression(schema));
        }
        return "(" + String.join(" | ", options) + ")";
    }

    private String typed(Map<?, ?> schema) throws SchemaException {
        Object type = schema.get("type");
        if (type instanceof List<?> types && !types.isEmpty()) {
            List<String> options = new ArrayList<>();
            for (Object one : types) {
                options.add(ofType(one, schema));
            }
            return "(" + String.join(" | ", options) + ")";
        }
        if (type != null) {
            return ofType(type, schema);
        }
        // Without a type a keyword speaks of values of its own type alone: those are allowed, so one of them is drawn.
        for (Map.Entry<String, Set<String>> of : TYPE_OF.entrySet()) {
            if (!Collections.disjoint(schema.keySet(), of.getValue())) {
                return ofType(of.getKey(), schema);
            }
        }
        return "value";
    }

    private String ofType(Object type, Map<?, ?> schema) throws SchemaException {
        return switch (type.toString()) {
            case "string" -> string(schema);
            case "integer", "number", "boolean", "null" -> type.toString();
            case "array" -> array(schema);
            case "object" -> object(schema);
            default -> throw new SchemaException("json_schema names a type that JSON has not");
        };
    }

    private static String string(Map<?, ?> schema) throws SchemaException {
        String repeat = repeat(limit(schema, "minLength"), limit(schema, "maxLength"));
        return repeat.equals("*") ? "string" : "\"\\\"\" char" + repeat + " \"\\\"\"";
    }

    private String array(Map<?, ?> schema) throws SchemaException {
        Object items = schema.get("items");
        String item = items == null ? "value" : rule(expression(items));
        int least = Math.max(0, limit(schema, "minItems"));
        int most = limit(schema, "maxItems");
        if (most == 0) {
            return "\"[]\"";
        }
        String further = "(\",\" sp " + item + ")" + repeat(Math.max(0, least - 1), most < 0 ? -1 : most - 1);
        String filled = item + " " + further;
        return "\"[\" " + (least == 0 ? "(" + filled + ")?" : filled) + " \"]\"";
    }

    private String object(Map<?, ?> schema) throws SchemaException {
        Object additional = schema.get("additionalProperties");
        if (!(schema.get("properties") instanceof Map<?, ?> properties) || properties.isEmpty()) {
            if (schema.get("required") instanceof List<?> required && !required.isEmpty()) {
                throw new SchemaException("json_schema requires a property that it does not describe");
            }
            if (additional instanceof Literal literal && literal.text().equals("false")) {
                return "\"{}\"";
            }
            if (additional == null || additional instanceof Literal) {
                return "object";
            }
            String member = rule("string \":\" sp " + rule(expression(additional)));
            return "\"{\" (" + member + " (\",\" sp " + member + ")*)? \"}\"";
        }
        Collection<?> required = schema.get("required") instanceof List<?> names ? names : List.of();
        if (!properties.keySet().containsAll(required)) {
            throw new SchemaException("json_schema requires a property that it does not describe");
        }
        // From the last property to the first: what may follow it, where it is the first member, and where it is not.
        String first = "";
        String further = "";
        List<Map.Entry<?, ?>> entries = new ArrayList<>(properties.entrySet());
        for (int i = entries.size() - 1; i >= 0; i--) {
            Map.Entry<?, ?> entry = entries.get(i);
            String member = rule(constant(entry.getKey()) + " \":\" sp " + rule(expression(entry.getValue())));
            boolean optional = !required.contains(entry.getKey());
            String begun = (member + " " + further).strip();
            String continued = "\",\" sp " + member;
            first = rule(optional ? begun + " | " + (first.isEmpty() ? "\"\"" : first) : begun);
            further = rule(((optional ? "(" + continued + ")?" : continued) + " " + further).strip());
        }
        return "\"{\" " + first + " \"}\"";
    }

    private static String repeat(int least, int most) {
        int from = Math.max(0, least);
        if (most < 0) {
            return from == 0 ? "*" : "{" + from + ",}";
        }
        return "{" + from + "," + most + "}";
    }

    /** The limit of that name, −1 where there is none. */
    private static int limit(Map<?, ?> schema, String name) throws SchemaException {
        Object value = schema.get(name);
        if (value == null) {
            return -1;
        }
        if (value instanceof Literal literal) {
            try {
                int number = Integer.parseInt(literal.text());
                if (number >= 0 && number <= REPEAT_MAX) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // Said below, as for a number out of range.
            }
        }
        throw new SchemaException("\"" + name + "\" of json_schema is no integer within 0 and " + REPEAT_MAX);
    }

    /** Gives an expression a name. */
    private String rule(String expression) throws SchemaException {
        if (rules.size() >= RULES_MAX) {
            throw new SchemaException("json_schema needs more than " + RULES_MAX + " rules");
        }
        String name = "r" + rules.size();
        rules.put(name, expression);
        return name;
    }

    /** A JSON value that stands as it is. */
    private static String constant(@Nullable Object value) {
        StringBuilder json = new StringBuilder();
        SchemaTree.write(value == null ? new Literal("null") : value, json);
        StringBuilder out = new StringBuilder("\"");
        for (int i = 0; i < json.length(); i++) {
            char c = json.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\');
            }
            out.append(c);
        }
        return out.append('"').toString();
    }
}
