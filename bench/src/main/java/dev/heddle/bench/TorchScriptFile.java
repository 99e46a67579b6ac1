package dev.heddle.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a TorchScript archive: a zip file with the source of a module, and its state as a pickle.
 */
final class TorchScriptFile {
  /** Pickle, protocol 2: an empty tuple. */
  private static final byte[] NO_CONSTANTS = {(byte) 0x80, 2, ')', '.'};

  private TorchScriptFile() {}

  /** A module whose {@code forward(q, k, v)} returns the value of {@code expression}. */
  static void write(Path file, String type, String expression) throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      add(zip, "data.pkl", state());
      add(zip, "constants.pkl", NO_CONSTANTS);
      add(zip, "code/__torch__.py", code(type, expression).getBytes(UTF_8));
      add(zip, "version", "3\n".getBytes(UTF_8));
    }
  }

  private static String code(String type, String expression) {
    return """
    class Function(Module):
      __parameters__ = []
      __buffers__ = []
      training : bool
      def forward(self: __torch__.Function,
        q: Tensor,
        k: Tensor,
        v: Tensor) -> %s:
        return %s
    """
        .formatted(type, expression);
  }

  /** A {@code __torch__.Function} with the attribute {@code training = False}, as a pickle. */
  private static byte[] state() throws IOException {
    ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    pickle.write(new byte[] {(byte) 0x80, 2});
    pickle.write("c__torch__\nFunction\n)".getBytes(UTF_8)); // the class; no arguments
    pickle.write(new byte[] {(byte) 0x81, '}'}); // a new object; an empty dictionary
    pickle.write(new byte[] {'X', 8, 0, 0, 0}); // a string of 8 bytes
    pickle.write("training".getBytes(UTF_8));
    pickle.write(new byte[] {(byte) 0x89, 's', 'b', '.'}); // False; set item; set state; end
    return pickle.toByteArray();
  }

  private static void add(ZipOutputStream zip, String name, byte[] content) throws IOException {
    zip.putNextEntry(new ZipEntry("function/" + name));
    zip.write(content);
    zip.closeEntry();
  }
}
