package dev.heddle.llm;

import dev.heddle.api.ElementType;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The element types of safetensors files. Heddle computes with three of them. */
public enum TensorType {
  BOOL(1, null),
  U8(1, null),
  I8(1, null),
  F8_E5M2(1, null),
  F8_E4M3(1, null),
  F8_E8M0(1, null),
  I16(2, null),
  U16(2, null),
  /** IEEE 754 binary16. */
  F16(2, ElementType.FLOAT16),
  /** The upper half of a binary32. */
  BF16(2, ElementType.BFLOAT16),
  I32(4, null),
  U32(4, null),
  /** IEEE 754 binary32. */
  F32(4, ElementType.FLOAT32),
  C64(8, null),
  F64(8, null),
  I64(8, null),
  U64(8, null);

  private final int bytes;
  private final @Nullable ElementType elementType;

  TensorType(int bytes, @Nullable ElementType elementType) {
    this.bytes = bytes;
    this.elementType = elementType;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** The type to compute with; empty for types that Heddle only carries. */
  public Optional<ElementType> elementType() {
    return Optional.ofNullable(elementType);
  }

  /** The safetensors type that stores {@code type}. */
  public static TensorType of(ElementType type) {
    return switch (type) {
      case FLOAT32 -> F32;
      case FLOAT16 -> F16;
      case BFLOAT16 -> BF16;
    };
  }

  static Optional<TensorType> named(String name) {
    return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
  }

  static String names() {
    return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
  }

  /** The names of the types that Heddle computes with. */
  static String computableNames() {
    return Arrays.stream(values())
        .filter(type -> type.elementType().isPresent())
        .map(Enum::name)
        .collect(Collectors.joining(", "));
  }
}
