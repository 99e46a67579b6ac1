package dev.heddle.cli;

import picocli.CommandLine.Command;

/** {@code heddle plot}: names what there are pictures of. */
@Command(
    name = "plot",
    description =
        "Paint pictures: what heads attend to and what their indices leave out, what is found in a"
            + " prompt, and how long that takes.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "WHAT",
    usageHelpAutoWidth = true)
final class PlotCommand {}
