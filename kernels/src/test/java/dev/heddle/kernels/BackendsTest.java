package dev.heddle.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.heddle.api.InvalidInputException;
import dev.heddle.kernels.reference.ReferenceProvider;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackendsTest {
  private static final BackendProvider RUNS = new ReferenceProvider();

  @Test
  void autoTakesTheFirstThatCanRun() {
    Backends backends = new Backends(List.of(new Refusing("first"), RUNS));
    try (AttentionBackend backend = backends.open(Backends.AUTO, 1);
        MatrixProducts products = backends.openMatrixProducts(Backends.AUTO, 1)) {
      assertThat(backend.name()).isEqualTo("reference");
      assertThat(products).isNotNull();
    }
  }

  @Test
  void standardOrderIsCudaThenVectorThenReference() {
    assertThat(Backends.standard().providers())
        .extracting(BackendProvider::name)
        .containsExactly("cuda", "vector", "reference");
    try (AttentionBackend backend = Backends.standard().open("vector", 1)) {
      assertThat(backend.name()).isEqualTo("vector");
    }
    try (AttentionBackend backend = Backends.standard().open("reference", 1)) {
      assertThat(backend.name()).isEqualTo("reference");
    }
  }

  @Test
  void productsComeFromTheNextBackendThatHasThem() {
    Backends backends = new Backends(List.of(new WithoutProducts(), RUNS));
    try (MatrixProducts products = backends.openMatrixProducts("attention-only", 1)) {
      assertThat(products).isNotNull();
    }
  }

  @Test
  void aGpuThatCannotRunAModelIsSaidWhereItWasNamed() {
    Backends backends = new Backends(List.of(new WithoutProducts(), RUNS));
    String refusal = "attention-only: no products here; install them.";
    assertThat(backends.openStream(Backends.AUTO)).isEmpty();
    assertThat(backends.streamRefusal(Backends.AUTO)).contains(refusal);
    assertThatThrownBy(() -> backends.openStream("attention-only"))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("backend 'attention-only' cannot run a model here. " + refusal);
    assertThat(backends.openStream("reference")).isEmpty();
    assertThat(backends.streamRefusal("reference")).isEmpty();
    assertThatThrownBy(RUNS::openStream).isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void namesWhatThereIsForAnUnknownName() {
    assertThatThrownBy(() -> Backends.standard().open("abacus", 1))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("no backend is called 'abacus'; allowed: auto, cuda, vector, reference");
  }

  @Test
  void carriesEveryRefusalWithItsRemedy() {
    Backends backends = new Backends(List.of(new Refusing("first"), new Refusing("second")));
    String refusals =
        "first: no first here; install first. second: no second here; install second.";
    assertThatThrownBy(() -> backends.open(Backends.AUTO, 1))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("backend 'auto' cannot run here. " + refusals);
    assertThatThrownBy(() -> backends.openMatrixProducts("second", 1))
        .isInstanceOf(BackendUnavailableException.class)
        .hasMessage("backend 'second' cannot run here. " + refusals);
  }

  @Test
  void refusesNoThreads() {
    assertThatThrownBy(() -> Backends.standard().open("auto", 0))
        .isInstanceOf(InvalidInputException.class)
        .hasMessage("threads must be at least 1, but is 0");
  }

  @Test
  void autoGoesOnWhereADeviceDoesNotStartAfterAll() {
    Backends backends = new Backends(List.of(new NotStarting(), new Refusing("second"), RUNS));
    try (AttentionBackend backend = backends.open(Backends.AUTO, 1)) {
      assertThat(backend.name()).isEqualTo("reference");
    }
    assertThatThrownBy(() -> backends.open("not-starting", 1))
        .isInstanceOf(DeviceException.class)
        .hasMessage("opening the device's context failed");
    assertThatThrownBy(() ->
            new Backends(List.of(new NotStarting(), new Refusing("second"))).open(Backends.AUTO, 1))
        .isInstanceOf(DeviceException.class);
  }

  private record NotStarting() implements BackendProvider {
    @Override
    public String name() {
      return "not-starting";
    }

    @Override
    public Availability availability() {
      return new Availability.Available("it seems");
    }

    @Override
    public AttentionBackend open(int threads) {
      throw new DeviceException("opening the device's context failed");
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      throw new UnsupportedOperationException("none");
    }
  }

  private record WithoutProducts() implements BackendProvider {
    @Override
    public boolean hasStreams() {
      return true;
    }

    @Override
    public Availability streams() {
      return new Availability.Refused("no products here", "install them");
    }

    @Override
    public String name() {
      return "attention-only";
    }

    @Override
    public Availability availability() {
      return new Availability.Available("everywhere");
    }

    @Override
    public AttentionBackend open(int threads) {
      throw new AssertionError("nobody asked for attention");
    }

    @Override
    public boolean hasMatrixProducts() {
      return false;
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      throw new UnsupportedOperationException("none");
    }
  }

  private record Refusing(String name) implements BackendProvider {
    @Override
    public Availability availability() {
      return new Availability.Refused("no " + name + " here", "install " + name);
    }

    @Override
    public AttentionBackend open(int threads) {
      throw new AssertionError("a backend that refused was opened");
    }

    @Override
    public MatrixProducts openMatrixProducts(int threads) {
      throw new AssertionError("a backend that refused was opened");
    }
  }
}
