import java.io.FileInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;
import org.tensorflow.contrib.android.TensorFlowInferenceInterface;

/** Classifies the example's digits from Java: model, digits.csv; prints how many of them are right. */
public final class Classify {
  private static final int PIXELS = 64;

  public static void main(String[] args) throws Exception {
    List<String> rows = Files.readAllLines(Paths.get(args[1]));
    float[] images = new float[rows.size() * PIXELS];
    long[] expected = new long[rows.size()];
    for (int row = 0; row < rows.size(); ++row) {
      String[] fields = rows.get(row).split(",");
      expected[row] = Long.parseLong(fields[0]);
      for (int pixel = 0; pixel < PIXELS; ++pixel) {
        images[row * PIXELS + pixel] = Float.parseFloat(fields[pixel + 1]) / 16;
      }
    }
    long[] labels = new long[rows.size()];
    try (InputStream model = new FileInputStream(args[0])) {
      TensorFlowInferenceInterface session = new TensorFlowInferenceInterface(model);
      session.feed("images", images, rows.size(), 8, 8, 1);
      session.run(new String[] {"labels"});
      session.fetch("labels", labels);
      session.close();
    }
    int right = 0;
    for (int row = 0; row < rows.size(); ++row) {
      right += labels[row] == expected[row] ? 1 : 0;
    }
    System.out.println("Java: " + right + " of " + rows.size());
  }
}
