package dev.heddle.api;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;

/**
 * Compiled kernels: a fat binary that a module brings as a resource. The module reads it itself,
 * because no module can read another's resources:
 *
 * <pre>{@code
 * static final KernelSource SOURCE =
 *     new KernelSource(
 *         "a_shape",
 *         () -> Optional.ofNullable(AShapeKernels.class.getResourceAsStream("a_shape.fatbin")));
 * }</pre>
 *
 * <p>Two sources are the same if they are one object: keep a source in a constant.
 */
public final class KernelSource {
  private final String name;
  private final Opener image;

  /**
   * Names an image without reading it.
   *
   * @param name for messages: the file's name without its ending
   * @param image opens the image, or gives nothing where the build had no CUDA compiler
   */
  public KernelSource(String name, Opener image) {
    this.name = name;
    this.image = image;
  }

  /** For messages. */
  public String name() {
    return name;
  }

  /** Whether the build made an image. Does not read it. */
  public boolean isPresent() {
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
   * The image, or nothing where the build had no CUDA compiler.
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
}
