package android.os;

/** What TensorFlow's classes are compiled against; on a device it is Android's own. */
public final class Trace {
  public static void beginSection(String sectionName) {}

  public static void endSection() {}
}
