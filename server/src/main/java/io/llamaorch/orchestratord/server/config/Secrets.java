package io.llamaorch.orchestratord.server.config;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Takes out of values what is not to be shown when a configuration is printed. Pure functions. */
final class Secrets {
    /** What stands where something is not shown. */
    static final String HIDDEN = "(hidden)";

    /** {@code https://user:password@host}. */
    private static final Pattern USER_INFO = Pattern.compile("(?<=://)[^/?#@\\s]+@");
    /** {@code --api-key}, {@code --hf-token=…}: options whose value is a secret. */
    private static final Pattern OPTION =
            Pattern.compile("(--?[\\w-]*(?:key|token|secret|password))(=.*)?", Pattern.CASE_INSENSITIVE);

    private Secrets() {}

    /** A text without a password in a URL. */
    static String hidden(String text) {
        return USER_INFO.matcher(text).replaceAll(HIDDEN + "@");
    }

    /** A list, such as a command line, without what follows an option that names a secret. */
    static List<String> hidden(List<String> texts) {
        List<String> shown = new ArrayList<>(texts.size());
        boolean hide = false;
        for (String text : texts) {
            var option = OPTION.matcher(text);
            boolean isOption = option.matches();
            if (hide) {
                shown.add(HIDDEN);
            } else if (isOption && option.group(2) != null) {
                shown.add(option.group(1) + "=" + HIDDEN);
            } else {
                shown.add(hidden(text));
            }
            hide = !hide && isOption && option.group(2) == null;
        }
        return shown;
    }
}
