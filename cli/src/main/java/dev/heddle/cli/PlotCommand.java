package dev.heddle.cli;

import picocli.CommandLine.Command;

/** {@code heddle plot}: names what there are pictures of. */
@Command(
    name = "plot",
    description = "Paint pictures of what heads attend to and what their indices leave out.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "WHAT",
    usageHelpAutoWidth = true)
final class PlotCommand {}
