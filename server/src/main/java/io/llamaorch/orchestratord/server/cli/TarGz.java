package io.llamaorch.orchestratord.server.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/** Writes a few small files as a {@code .tar.gz} (POSIX ustar). */
final class TarGz {
    private static final int BLOCK = 512;

    private TarGz() {}

    /**
     * Writes a file that only its owner may read.
     *
     * @param path not there yet
     * @param folder what the archive unpacks to, ASCII
     * @param files name (ASCII, shorter than 60) to content
     */
    static void write(Path path, String folder, Map<String, byte[]> files) throws IOException {
        long seconds = System.currentTimeMillis() / 1000;
        Files.createFile(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (OutputStream file = Files.newOutputStream(path);
                GZIPOutputStream out = new GZIPOutputStream(file)) {
            for (Map.Entry<String, byte[]> entry : files.entrySet()) {
                byte[] content = entry.getValue();
                out.write(header(folder + "/" + entry.getKey(), content.length, seconds));
                out.write(content);
                out.write(new byte[(BLOCK - content.length % BLOCK) % BLOCK]);
            }
            out.write(new byte[2 * BLOCK]);
        }
    }

    private static byte[] header(String name, long size, long seconds) {
        byte[] block = new byte[BLOCK];
        put(block, 0, name);
        put(block, 100, "0000600\0");
        put(block, 108, "0000000\0");
        put(block, 116, "0000000\0");
        put(block, 124, octal(size));
        put(block, 136, octal(seconds));
        put(block, 148, "        "); // the sum counts its own field as blanks
        block[156] = '0';
        put(block, 257, "ustar\0" + "00");
        int sum = 0;
        for (byte b : block) {
            sum += b & 0xff;
        }
        put(block, 148, String.format(Locale.ROOT, "%06o\0 ", sum));
        return block;
    }

    private static String octal(long value) {
        return String.format(Locale.ROOT, "%011o\0", value);
    }

    private static void put(byte[] block, int at, String text) {
        byte[] bytes = text.getBytes(US_ASCII);
        System.arraycopy(bytes, 0, block, at, bytes.length);
    }
}
