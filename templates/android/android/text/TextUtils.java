package android.text;

/** What TensorFlow's classes are compiled against; on a device it is Android's own. */
public class TextUtils {
  public static String join(CharSequence delimiter, Object[] tokens) {
    throw new UnsupportedOperationException("this class is for compiling only");
  }

  public static String join(CharSequence delimiter, Iterable<?> tokens) {
    throw new UnsupportedOperationException("this class is for compiling only");
  }
}
