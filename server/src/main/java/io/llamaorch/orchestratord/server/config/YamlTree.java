package io.llamaorch.orchestratord.server.config;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.common.ScalarStyle;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Reads YAML 1.2 to a {@link Tree} with places.
 *
 * <p>Limits: {@value #TEXT_MAX} characters of text, nesting {@value #DEPTH_MAX}, {@value #NODES_MAX} nodes after aliases
 * are followed. Past a limit the file is refused with one problem.
 */
final class YamlTree {
    /** Longest text, characters. */
    static final int TEXT_MAX = 1 << 20;
    /** Deepest nesting. */
    static final int DEPTH_MAX = 24;
    /** Most nodes, aliases followed. */
    static final int NODES_MAX = 100_000;

    private final String name;
    private final Origin.Layer layer;
    private final List<Problem> problems;
    private int nodes;

    private YamlTree(String name, Origin.Layer layer, List<Problem> problems) {
        this.name = name;
        this.layer = layer;
        this.problems = problems;
    }

    /** The tree of a file's text; null where it is empty or not YAML (then with a problem). */
    static @Nullable Tree read(String text, String name, Origin.Layer layer, List<Problem> problems) {
        YamlTree reader = new YamlTree(name, layer, problems);
        if (text.length() > TEXT_MAX) {
            reader.problem(reader.whole(), "the text is longer than " + TEXT_MAX + " characters");
            return null;
        }
        try {
            LoadSettings settings = LoadSettings.builder()
                    .setLabel(name)
                    .setAllowRecursiveKeys(false)
                    .setMaxAliasesForCollections(50)
                    .build();
            Optional<Node> root = new Compose(settings).composeString(text);
            return root.isEmpty() ? null : reader.convert(root.get(), 0);
        } catch (MarkedYamlEngineException e) {
            Optional<Mark> mark = e.getProblemMark().or(e::getContextMark);
            String problem = e.getProblem() == null ? "not YAML 1.2" : "not YAML 1.2: " + e.getProblem();
            reader.problem(mark.map(reader::origin).orElseGet(reader::whole), problem);
        } catch (YamlEngineException | StackOverflowError e) {
            reader.problem(reader.whole(), "not YAML 1.2: " + e.getMessage());
        } catch (TooLarge e) {
            reader.problem(
                    reader.whole(), "nested deeper than " + DEPTH_MAX + " or more than " + NODES_MAX + " values");
        }
        return null;
    }

    private Tree convert(Node node, int depth) {
        if (depth > DEPTH_MAX || ++nodes > NODES_MAX) {
            throw new TooLarge();
        }
        Origin at = node.getStartMark().map(this::origin).orElseGet(this::whole);
        if (node instanceof ScalarNode scalar) {
            return new Tree.Scalar(scalar.getValue(), scalar.getScalarStyle() == ScalarStyle.PLAIN, at);
        }
        if (node instanceof SequenceNode sequence) {
            Tree.Sequence list = new Tree.Sequence(at);
            for (Node item : sequence.getValue()) {
                list.items().add(convert(item, depth + 1));
            }
            return list;
        }
        Tree.Mapping mapping = new Tree.Mapping(at);
        if (node instanceof MappingNode map) {
            for (NodeTuple tuple : map.getValue()) {
                Origin keyAt =
                        tuple.getKeyNode().getStartMark().map(this::origin).orElse(at);
                if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
                    problem(keyAt, "a key must be a word");
                    continue;
                }
                Tree.Entry entry = new Tree.Entry(keyAt, convert(tuple.getValueNode(), depth + 1));
                Tree.Entry earlier = mapping.entries().putIfAbsent(key.getValue(), entry);
                if (earlier != null) {
                    problem(
                            keyAt,
                            "\"" + key.getValue() + "\" is given twice, first at line "
                                    + earlier.keyAt().line());
                }
            }
        }
        return mapping;
    }

    private Origin origin(Mark mark) {
        return layer == Origin.Layer.FILE ? new Origin(layer, name, mark.getLine() + 1, mark.getColumn() + 1) : whole();
    }

    private Origin whole() {
        return new Origin(layer, name, 0, 0);
    }

    private void problem(Origin at, String message) {
        problems.add(new Problem(at, "", message));
    }

    private static final class TooLarge extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }
}
