package dev.heddle.kernels;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.cuda.CudaProvider;
import dev.heddle.kernels.reference.ReferenceProvider;
import dev.heddle.kernels.vector.VectorProvider;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** The backends in order of preference, and the choice among them. */
public final class Backends {
  /** The name that means: the first backend that can run here. */
  public static final String AUTO = "auto";

  private final List<BackendProvider> providers;

  /** Makes a choice among {@code providers}, the most preferred first. */
  public Backends(List<BackendProvider> providers) {
    this.providers = List.copyOf(providers);
  }

  /** Heddle's backends: cuda, vector, then reference. */
  public static Backends standard() {
    return new Backends(List.of(new CudaProvider(), new VectorProvider(), new ReferenceProvider()));
  }

  /** All backends, the most preferred first. */
  public List<BackendProvider> providers() {
    return providers;
  }

  /**
   * Opens the backend called {@code name}, or with {@link #AUTO} the first that can run here; one
   * whose device does not start after all is left out with a warning.
   *
   * @param threads threads to compute with, at least 1
   * @throws InvalidInputException if no backend has that name
   * @throws BackendUnavailableException if it cannot run here, with every refusal and its remedy
   * @throws DeviceException if it can run here by the look of it, but its device does not start
   */
  public AttentionBackend open(String name, int threads) {
    List<BackendProvider> wanted = wanted(name, threads);
    BackendProvider chosen = firstOf(wanted, name);
    try {
      return chosen.open(threads);
    } catch (DeviceException failure) {
      List<BackendProvider> others = wanted.subList(wanted.indexOf(chosen) + 1, wanted.size());
      if (others.stream().noneMatch(p -> p.availability() instanceof Available)) {
        throw failure;
      }
      warn(chosen, failure);
      return new Backends(others).open(name, threads);
    }
  }

  /**
   * Opens the matrix products of the backend that {@link #open} would choose, or where it has none,
   * of the first other that can run here.
   *
   * @param threads threads to compute with, at least 1
   * @throws InvalidInputException if no backend has that name
   * @throws BackendUnavailableException if it cannot run here, with every refusal and its remedy
   */
  public MatrixProducts openMatrixProducts(String name, int threads) {
    BackendProvider chosen = firstOf(wanted(name, threads), name);
    return chosen.hasMatrixProducts()
        ? chosen.openMatrixProducts(threads)
        : firstOf(withMatrixProducts(), name).openMatrixProducts(threads);
  }

  /**
   * Opens a stream on the GPU of the backend that {@link #open} would choose.
   *
   * @return nothing where that backend is not on a GPU, or where it was not named and its GPU
   *     cannot do what a model needs: {@link #streamRefusal} says why
   * @throws InvalidInputException if no backend has that name
   * @throws BackendUnavailableException if it was named and cannot run here, or cannot do what a
   *     model needs, with the reason and the remedy
   * @throws DeviceException if the device does not start
   */
  public Optional<GpuStream> openStream(String name) {
    BackendProvider chosen = firstOf(wanted(name, 1), name);
    if (chosen.streams() instanceof Available) {
      try {
        return Optional.of(chosen.openStream());
      } catch (DeviceException failure) {
        if (!name.equals(AUTO)) {
          throw failure;
        }
        warn(chosen, failure);
        return Optional.empty();
      }
    }
    Optional<String> refusal = streamRefusal(name);
    if (refusal.isPresent() && !name.equals(AUTO)) {
      throw new BackendUnavailableException(
          "backend '" + name + "' cannot run a model here. " + refusal.get());
    }
    return Optional.empty();
  }

  /**
   * Why {@link #openStream} has no stream although the backend that {@link #open} would choose is
   * on a GPU: one line with the reason and the remedy. Empty where it has one, and where there is
   * no GPU.
   */
  public Optional<String> streamRefusal(String name) {
    BackendProvider chosen = firstOf(wanted(name, 1), name);
    return chosen.hasStreams() && chosen.streams() instanceof Refused refused
        ? Optional.of(describe(chosen.name(), refused))
        : Optional.empty();
  }

  private List<BackendProvider> wanted(String name, int threads) {
    if (threads < 1) {
      throw new InvalidInputException("threads must be at least 1, but is " + threads);
    }
    List<BackendProvider> wanted =
        providers.stream().filter(p -> name.equals(AUTO) || name.equals(p.name())).toList();
    if (wanted.isEmpty()) {
      throw new InvalidInputException("no backend is called '" + name + "'; allowed: " + names());
    }
    return wanted;
  }

  /**
   * What {@link #open} passes over although a user of this machine would expect it to run: with
   * {@link #AUTO} the backends that are preferred to the one that is chosen and cannot run here,
   * each in one line with the reason and the remedy. Empty for a backend that is named.
   */
  public List<String> passedOver(String name) {
    if (!name.equals(AUTO)) {
      return List.of();
    }
    return providers.stream()
        .takeWhile(provider -> provider.availability() instanceof Refused)
        .filter(BackendProvider::isExpected)
        .map(provider -> describe(provider.name(), (Refused) provider.availability()))
        .toList();
  }

  private List<BackendProvider> withMatrixProducts() {
    return providers.stream().filter(BackendProvider::hasMatrixProducts).toList();
  }

  private BackendProvider firstOf(List<BackendProvider> wanted, String name) {
    for (BackendProvider provider : wanted) {
      if (provider.availability() instanceof Available) {
        return provider;
      }
    }
    throw new BackendUnavailableException("backend '" + name + "' cannot run here. " + refusals());
  }

  private String names() {
    return AUTO
        + ", "
        + providers.stream().map(BackendProvider::name).collect(Collectors.joining(", "));
  }

  private String refusals() {
    return providers.stream()
        .filter(provider -> provider.availability() instanceof Refused)
        .map(provider -> describe(provider.name(), (Refused) provider.availability()))
        .collect(Collectors.joining(" "));
  }

  private static void warn(BackendProvider chosen, DeviceException failure) {
    System.getLogger(Backends.class.getName())
        .log(
            Level.WARNING,
            "backend ''{0}'' does not start: {1}; going on without it",
            chosen.name(),
            failure.getMessage());
  }

  private static String describe(String name, Refused refused) {
    return name + ": " + refused.reason() + "; " + refused.remedy() + ".";
  }
}
