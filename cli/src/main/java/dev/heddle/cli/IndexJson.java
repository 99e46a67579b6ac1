package dev.heddle.cli;

import dev.heddle.api.BlockIndex;
import dev.heddle.api.BlockShape;
import java.io.BufferedOutputStream;
import java.io.OutputStream;
import java.util.List;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes what each query block reads: {@code {"blockShape":[rows,columns],"heads":[{"head":0,
 * "rows":[{"blocks":[start,…],"columns":[…]},…]},…]}}.
 */
final class IndexJson {
  private IndexJson() {}

  /** Writes one index for each head, from head 0, and closes {@code stream}. */
  static void write(List<BlockIndex> heads, OutputStream stream) {
    try (JsonGenerator json =
        JsonFactory.builder()
            .build()
            .createGenerator(
                ObjectWriteContext.empty(), new BufferedOutputStream(stream), JsonEncoding.UTF8)) {
      BlockShape blocks = heads.getFirst().blocks();
      json.writeStartObject();
      json.writeName("blockShape");
      json.writeArray(new int[] {blocks.queryRows(), blocks.keyColumns()}, 0, 2);
      json.writeArrayPropertyStart("heads");
      for (int head = 0; head < heads.size(); head++) {
        json.writeStartObject();
        json.writeNumberProperty("head", head);
        writeRows(heads.get(head), json);
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
  }

  private static void writeRows(BlockIndex index, JsonGenerator json) {
    json.writeArrayPropertyStart("rows");
    for (int row = 0; row < index.rows(); row++) {
      json.writeStartObject();
      json.writeArrayPropertyStart("blocks");
      for (int i = 0; i < index.blockCount(row); i++) {
        json.writeNumber(index.blockStart(row, i));
      }
      json.writeEndArray();
      json.writeArrayPropertyStart("columns");
      for (int i = 0; i < index.columnCount(row); i++) {
        json.writeNumber(index.column(row, i));
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
