package dev.heddle.runtime.engine;

import dagger.BindsInstance;
import dagger.Component;
import dagger.Module;
import dagger.Provides;
import dev.heddle.kernels.AttentionBackend;
import dev.heddle.kernels.Backends;
import dev.heddle.runtime.AttentionPlan;
import dev.heddle.runtime.HeadsConfig;
import dev.heddle.runtime.PatternRegistry;
import jakarta.inject.Singleton;

/** The wiring of the runtime: all of it. One component is one engine. */
@Singleton
@Component(modules = AttentionComponent.Parts.class)
interface AttentionComponent {
  AttentionEngine engine();

  /** Takes what the user chose. */
  @Component.Factory
  interface Factory {
    AttentionComponent create(
        @BindsInstance HeadsConfig heads,
        @BindsInstance PatternRegistry registry,
        @BindsInstance Backends backends,
        @BindsInstance AttentionSettings settings);
  }

  /** Makes what has no constructor of its own to inject. */
  @Module
  final class Parts {
    private Parts() {}

    @Provides
    @Singleton
    static AttentionPlan plan(HeadsConfig heads, PatternRegistry registry) {
      return AttentionPlan.resolve(heads, registry);
    }

    @Provides
    @Singleton
    static AttentionBackend backend(Backends backends, AttentionSettings settings) {
      return backends.open(settings.backend(), settings.threads());
    }

    @Provides
    @Singleton
    static IndexThreads threads(AttentionSettings settings) {
      return new IndexThreads(settings.threads());
    }
  }
}
