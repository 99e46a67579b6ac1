package dev.heddle.cli;

import picocli.CommandLine.Command;

/** {@code heddle bench}: names what can be measured. */
@Command(
    name = "bench",
    description = "Measure speed on this machine.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "WHAT",
    usageHelpAutoWidth = true)
final class BenchCommand {}
