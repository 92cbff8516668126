package io.llamaorch.orchestratord.adapters.process;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The last lines of an engine's output, bounded in lines and in characters. Safe for all threads; nothing waits long. */
final class LogRing {
    private final int linesMax;
    private final int charsMax;
    private final ArrayDeque<String> lines = new ArrayDeque<>();
    private int chars;
    private long total;

    LogRing(int linesMax, int charsMax) {
        if (linesMax < 1 || charsMax < 1) {
            throw new IllegalArgumentException("a ring of " + linesMax + " lines and " + charsMax + " characters");
        }
        this.linesMax = linesMax;
        this.charsMax = charsMax;
    }

    synchronized void add(String line) {
        String kept = line.length() <= charsMax ? line : line.substring(0, charsMax);
        lines.addLast(kept);
        chars += kept.length();
        total++;
        while (lines.size() > linesMax || chars > charsMax) {
            chars -= lines.removeFirst().length();
        }
    }

    /** The last {@code max} lines at most, oldest first. */
    synchronized List<String> tail(int max) {
        int skip = Math.max(0, lines.size() - max);
        List<String> out = new ArrayList<>(lines.size() - skip);
        Iterator<String> from = lines.iterator();
        for (int i = 0; from.hasNext(); i++) {
            String line = from.next();
            if (i >= skip) {
                out.add(line);
            }
        }
        return out;
    }

    /** Lines ever added. */
    synchronized long total() {
        return total;
    }
}
