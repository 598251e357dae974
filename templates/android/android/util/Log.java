package android.util;

/** What TensorFlow's classes are compiled against; on a device it is Android's own. */
public final class Log {
  public static int i(String tag, String message) {
    return 0;
  }

  public static int e(String tag, String message) {
    return 0;
  }

  public static int w(String tag, String message) {
    return 0;
  }
}
