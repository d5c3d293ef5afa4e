import java.io.IOException;
import java.util.Arrays;

/**
 * Runs another class's main, and ends this process at once when standard input ends: when the test
 * that started it dies, however it dies, its broker dies with it.
 */
public final class LeashedMain {
    private static final int LEASH_CUT = 3;

    private LeashedMain() {
    }

    public static void main(String[] args) throws Exception {
        Thread watcher = new Thread(LeashedMain::haltAtEndOfInput, "leash");
        watcher.setDaemon(true);
        watcher.start();
        String[] rest = Arrays.copyOfRange(args, 1, args.length);
        Class.forName(args[0]).getMethod("main", String[].class).invoke(null, (Object) rest);
    }

    private static void haltAtEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (IOException closed) {
            // The same as its end.
        }
        Runtime.getRuntime().halt(LEASH_CUT);
    }
}
