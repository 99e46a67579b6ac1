package dev.heddle.cli;

import dev.heddle.kernels.Availability;
import dev.heddle.kernels.Availability.Available;
import dev.heddle.kernels.Availability.Refused;
import dev.heddle.kernels.BackendProvider;
import dev.heddle.kernels.Backends;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;

/** {@code heddle info}: what runs here. */
@Command(
    name = "info",
    description = "Show the version, this machine, which backends can run here, and the models.")
final class InfoCommand extends HeddleCommand {
  private final Home home;
  private final Backends backends;

  InfoCommand(Console console, Home home, Backends backends) {
    super(console);
    this.home = home;
    this.backends = backends;
  }

  @Override
  Result execute() throws IOException {
    return new Info(
        Processor.ofMachine(),
        Runtime.getRuntime().maxMemory(),
        backends.providers().stream().map(Backend::of).toList(),
        home.models());
  }

  /** A backend and whether it can run. */
  private record Backend(String name, Availability availability, List<String> details) {
    static Backend of(BackendProvider provider) {
      return new Backend(provider.name(), provider.availability(), provider.details());
    }

    Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("name", name);
      switch (availability) {
        case Available(String detail) -> {
          object.put("available", true);
          object.put("detail", detail);
          object.put("details", details);
        }
        case Refused(String reason, String remedy) -> {
          object.put("available", false);
          object.put("reason", reason);
          object.put("remedy", remedy);
        }
      }
      return object;
    }

    String line() {
      return switch (availability) {
        case Available(String detail) -> "can run: " + detail;
        case Refused(String reason, String remedy) -> "cannot run: " + reason + "; " + remedy;
      };
    }
  }

  /** The answer. */
  private record Info(
      Processor processor, long heapBytes, List<Backend> backends, List<Path> models)
      implements Result {
    @Override
    public Map<String, Object> json() {
      Map<String, Object> object = new LinkedHashMap<>();
      object.put("version", Version.number());
      object.put("java", javaVersion());
      object.put("processor", processor.name());
      object.put("threads", processor.threads());
      object.put("heapBytes", heapBytes);
      object.put("backends", backends.stream().map(Backend::json).toList());
      object.put("models", models.stream().map(Path::toString).toList());
      return object;
    }

    @Override
    public void print(Console console) {
      PrintWriter out = console.out();
      Table table = new Table(2);
      table.row("Heddle", Version.number());
      table.row("Java", javaVersion());
      table.row("Processor", processor.name() + ", " + processor.threads() + " threads");
      table.row("Heap", "up to " + (heapBytes >> 20) + " MiB");
      table.print(out, "");
      out.println("Backends, the most preferred first");
      Table list = new Table(2);
      for (Backend backend : backends) {
        list.row(backend.name(), backend.line());
        backend.details().forEach(detail -> list.row("", detail));
      }
      list.print(out, "  ");
      out.println("Models");
      models.forEach(model -> out.println("  " + model));
      if (models.isEmpty()) {
        out.println("  none");
      }
    }

    private static String javaVersion() {
      return Runtime.version() + " (" + System.getProperty("java.vendor", "unknown vendor") + ")";
    }
  }
}
