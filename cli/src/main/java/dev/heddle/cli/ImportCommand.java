package dev.heddle.cli;

import picocli.CommandLine.Command;

/** {@code heddle import}: names what can be turned into a heads file. */
@Command(
    name = "import",
    description = "Turn another program's pattern file into a heads file.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    synopsisSubcommandLabel = "WHAT",
    usageHelpAutoWidth = true)
final class ImportCommand {}
