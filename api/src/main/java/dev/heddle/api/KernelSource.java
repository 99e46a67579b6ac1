package dev.heddle.api;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Kernels that a module brings as resources. The module reads them itself, because no module can
 * read another's resources.
 *
 * <p>Either they are compiled by the module's build, to a fat binary:
 *
 * <pre>{@code
 * static final KernelSource SOURCE =
 *     new KernelSource(
 *         "a_shape",
 *         () -> Optional.ofNullable(AShapeKernels.class.getResourceAsStream("a_shape.fatbin")));
 * }</pre>
 *
 * <p>or they are CUDA text, which the backend compiles when it is first used:
 *
 * <pre>{@code
 * static final KernelSource SOURCE =
 *     KernelSource.ofText(
 *             "my_pattern",
 *             file -> Optional.ofNullable(MyKernels.class.getResourceAsStream(file)))
 *         .withHeader("my_rows.cuh");
 * }</pre>
 *
 * <p>Two sources are the same if they are one object: keep a source in a constant.
 */
public final class KernelSource {
  private static final String TEXT_ENDING = ".cu";

  private final String name;
  private final Opener image;
  private final Optional<Resources> resources;
  private final List<String> headers;

  /**
   * Names an image without reading it.
   *
   * @param name for messages: the file's name without its ending
   * @param image opens the image, or gives nothing where the build had no CUDA compiler
   */
  public KernelSource(String name, Opener image) {
    this(name, image, Optional.empty(), List.of());
  }

  private KernelSource(
      String name, Opener image, Optional<Resources> resources, List<String> headers) {
    this.name = name;
    this.image = image;
    this.resources = resources;
    this.headers = headers;
  }

  /**
   * Names CUDA text without reading it. It may include Heddle's headers ({@code
   * "heddle/attention.cuh"} and its neighbours), {@code <cstdint>}, {@code <cstddef>} and {@code
   * <cmath>}, and the headers that {@link #withHeader} names.
   *
   * @param name the file's name without its ending, {@code .cu}
   * @param resources opens the text and its headers by their names
   */
  public static KernelSource ofText(String name, Resources resources) {
    return new KernelSource(name, Optional::empty, Optional.of(resources), List.of());
  }

  /**
   * These kernels with one more header of the pattern's own.
   *
   * @param fileName the name of the resource, and the name under which the text includes it
   * @throws IllegalStateException if the kernels are no text
   */
  public KernelSource withHeader(String fileName) {
    if (resources.isEmpty()) {
      throw new IllegalStateException("kernel image '" + name + "' has no headers");
    }
    List<String> all = new ArrayList<>(headers);
    all.add(fileName);
    return new KernelSource(name, image, resources, List.copyOf(all));
  }

  /** For messages. */
  public String name() {
    return name;
  }

  /** Whether these kernels are text, for the backend to compile. */
  public boolean isText() {
    return resources.isPresent();
  }

  /** Whether there are kernels: text, or an image that the build made. Does not read it. */
  public boolean isPresent() {
    if (isText()) {
      return true;
    }
    Optional<InputStream> opened = image.open();
    try {
      if (opened.isPresent()) {
        opened.get().close();
      }
    } catch (IOException unread) {
      // It is there; reading it will say what is wrong with it.
    }
    return opened.isPresent();
  }

  /**
   * The image, or nothing where the kernels are text or the build had no CUDA compiler.
   *
   * @throws HeddleException if it is there and cannot be read
   */
  public Optional<byte[]> read() {
    Optional<InputStream> opened = image.open();
    if (opened.isEmpty()) {
      return Optional.empty();
    }
    try (InputStream stream = opened.get()) {
      return Optional.of(stream.readAllBytes());
    } catch (IOException failure) {
      throw new HeddleException("kernel image '" + name + "' cannot be read", failure);
    }
  }

  /**
   * The text with its headers, or nothing where the kernels are an image.
   *
   * @throws HeddleException if a file of it is missing or cannot be read, naming the file
   */
  public Optional<KernelText> text() {
    if (resources.isEmpty()) {
      return Optional.empty();
    }
    Map<String, String> texts = new LinkedHashMap<>();
    for (String header : headers) {
      texts.put(header, readText(resources.get(), header));
    }
    String fileName = name + TEXT_ENDING;
    return Optional.of(new KernelText(fileName, readText(resources.get(), fileName), texts));
  }

  private String readText(Resources from, String fileName) {
    Optional<InputStream> opened = from.open(fileName);
    if (opened.isEmpty()) {
      throw new HeddleException(
          "kernels '%s' bring no file '%s'; is it beside the class that opens it?"
              .formatted(name, fileName));
    }
    try (InputStream stream = opened.get()) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException failure) {
      throw new HeddleException(
          "file '%s' of kernels '%s' cannot be read".formatted(fileName, name), failure);
    }
  }

  @Override
  public String toString() {
    return "KernelSource[" + name + "]";
  }

  /** Opens an image. */
  @FunctionalInterface
  public interface Opener {
    /** A new stream, the caller's to close; nothing if there is no image. */
    Optional<InputStream> open();
  }

  /** Opens files by name. */
  @FunctionalInterface
  public interface Resources {
    /** A new stream, the caller's to close; nothing if there is no such file. */
    Optional<InputStream> open(String fileName);
  }
}
