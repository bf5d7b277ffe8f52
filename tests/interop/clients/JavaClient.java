// Apache's Java client, unchanged, through what applications use of it: JavaClient HOSTS.
//
// Prints one line a check, free of times, ids and transaction numbers, so that the output is the same for every server.
// Exit status 0 when nothing threw unexpectedly.

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.Transaction;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

public final class JavaClient {
  private static final int TIMEOUT_MS = 10000;
  private static final int PATIENCE_S = 20;

  private interface Call {
    Object run() throws Exception;
  }

  private static final class Events implements Watcher {
    private final BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();

    @Override
    public void process(WatchedEvent event) {
      if (event.getType() != Event.EventType.None) {
        events.add(event);
      }
    }

    String next() throws InterruptedException {
      WatchedEvent event = events.poll(PATIENCE_S, TimeUnit.SECONDS);
      return event == null ? "nothing" : event.getType() + " " + event.getPath();
    }

    String several(int count) throws InterruptedException {
      List<String> found = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        found.add(next());
      }
      return found + (events.isEmpty() ? "" : " and more");
    }
  }

  private static String servers;

  private static ZooKeeper connect(long session, byte[] password) throws Exception {
    CountDownLatch connected = new CountDownLatch(1);
    Watcher watcher = event -> {
      if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
        connected.countDown();
      }
    };
    ZooKeeper zk = session == 0 ? new ZooKeeper(servers, TIMEOUT_MS, watcher)
        : new ZooKeeper(servers, TIMEOUT_MS, watcher, session, password);
    if (!connected.await(PATIENCE_S, TimeUnit.SECONDS)) {
      throw new IllegalStateException("no session");
    }
    return zk;
  }

  private static void check(String name, Call call) throws Exception {
    Object result;
    try {
      result = call.run();
    } catch (KeeperException error) {
      result = error.code();
    }
    System.out.println(name + ": " + result);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static String shape(Stat stat) {
    return stat.getVersion() + "/" + stat.getCversion() + "/" + stat.getAversion() + " " + stat.getDataLength() + " bytes "
        + stat.getNumChildren() + " children" + (stat.getEphemeralOwner() != 0 ? " ephemeral" : "")
        + (stat.getCzxid() == stat.getMzxid() ? " as created" : "");
  }

  private static List<String> sorted(List<String> names) {
    List<String> copy = new ArrayList<>(names);
    Collections.sort(copy);
    return copy;
  }

  private static void data(ZooKeeper zk) throws Exception {
    List<ACL> open = ZooDefs.Ids.OPEN_ACL_UNSAFE;
    check("create", () -> zk.create("/j", bytes("one"), open, CreateMode.PERSISTENT));
    Stat created = new Stat();
    check("create2", () -> zk.create("/j/n", null, open, CreateMode.PERSISTENT, created) + " " + shape(created));
    check("same stat", () -> created.equals(zk.exists("/j/n", false)));
    check("null data", () -> Arrays.toString(zk.getData("/j/n", false, null)));
    check("set", () -> shape(zk.setData("/j/n", bytes("two!"), 0)));
    check("set, old version", () -> zk.setData("/j/n", bytes("x"), 0));
    check("ephemeral", () -> zk.create("/j/e", bytes("e"), open, CreateMode.EPHEMERAL, created) + " " + shape(created));
    check("child of an ephemeral", () -> zk.create("/j/e/c", null, open, CreateMode.PERSISTENT));
    check("sequential", () -> zk.create("/j/s-", null, open, CreateMode.PERSISTENT_SEQUENTIAL));
    check("ephemeral sequential", () -> zk.create("/j/s-", null, open, CreateMode.EPHEMERAL_SEQUENTIAL));
    check("container", () -> zk.create("/j/c", null, open, CreateMode.CONTAINER, created) + " " + shape(created));
    check("ttl", () -> zk.create("/j/t", null, open, CreateMode.PERSISTENT_WITH_TTL, created, 3600000) + " "
        + shape(created));
    check("ttl sequential",
        () -> zk.create("/j/t-", null, open, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, created, 3600000));
    Stat parent = new Stat();
    check("children", () -> sorted(zk.getChildren("/j", false, parent)) + " " + shape(parent));
    check("all children", () -> zk.getAllChildrenNumber("/j"));
    check("ephemerals", () -> sorted(zk.getEphemerals("/j")));
    check("exists twice", () -> zk.create("/j", null, open, CreateMode.PERSISTENT));
    check("no parent", () -> zk.create("/no/parent", null, open, CreateMode.PERSISTENT));
    check("missing", () -> zk.getData("/missing", false, null));
    check("not empty", () -> {
      zk.delete("/j", -1);
      return "deleted";
    });
    check("delete", () -> {
      zk.delete("/j/n", 1);
      return zk.exists("/j/n", false);
    });
    CountDownLatch synced = new CountDownLatch(1);
    zk.sync("/j", (code, path, context) -> {
      System.out.println("sync: " + code + " " + path);
      synced.countDown();
    }, null);
    synced.await(PATIENCE_S, TimeUnit.SECONDS);
    check("big data", () -> {
      byte[] big = new byte[900000];
      Arrays.fill(big, (byte) 7);
      zk.create("/j/big", big, open, CreateMode.PERSISTENT);
      return Arrays.equals(zk.getData("/j/big", false, null), big);
    });
    check("config", () -> new String(zk.getConfig(false, null), StandardCharsets.UTF_8).isEmpty());
  }

  private static void multi(ZooKeeper zk) throws Exception {
    List<ACL> open = ZooDefs.Ids.OPEN_ACL_UNSAFE;
    check("transaction", () -> {
      Transaction transaction = zk.transaction().create("/m", bytes("v"), open, CreateMode.PERSISTENT)
          .create("/m/a-", null, open, CreateMode.PERSISTENT_SEQUENTIAL).setData("/m", bytes("w"), 0).check("/m", 1)
          .create("/m/gone", null, open, CreateMode.PERSISTENT).delete("/m/gone", 0);
      StringBuilder text = new StringBuilder();
      for (OpResult result : transaction.commit()) {
        text.append(result.getClass().getSimpleName()).append(' ');
        if (result instanceof OpResult.CreateResult) {
          text.append(((OpResult.CreateResult) result).getPath()).append(' ');
        }
      }
      return text.toString().trim();
    });
    try {
      zk.multi(Arrays.asList(Op.create("/m/x", null, open, CreateMode.PERSISTENT), Op.delete("/missing", -1),
          Op.setData("/m", bytes("never"), -1)));
    } catch (KeeperException error) {
      StringBuilder text = new StringBuilder(error.code().toString());
      for (OpResult result : error.getResults()) {
        text.append(' ').append(((OpResult.ErrorResult) result).getErr());
      }
      System.out.println("failed transaction: " + text);
    }
    check("nothing of it", () -> zk.exists("/m/x", false));
    check("reads together", () -> {
      StringBuilder text = new StringBuilder();
      for (OpResult result : zk.multi(Arrays.asList(Op.getData("/m"), Op.getChildren("/m"), Op.getData("/missing")))) {
        text.append(result.getClass().getSimpleName()).append(' ');
      }
      return text.toString().trim();
    });
  }

  private static void watches(ZooKeeper zk) throws Exception {
    List<ACL> open = ZooDefs.Ids.OPEN_ACL_UNSAFE;
    Events one = new Events();
    zk.create("/w", null, open, CreateMode.PERSISTENT);
    zk.exists("/w/n", one);
    zk.getChildren("/w", one);
    zk.create("/w/n", null, open, CreateMode.PERSISTENT);
    System.out.println("create: " + one.several(2));
    zk.getData("/w/n", one, null);
    zk.setData("/w/n", null, -1);
    zk.setData("/w/n", null, -1);
    System.out.println("one shot: " + one.several(1));
    zk.getChildren("/w", one);
    zk.getData("/w/n", one, null);
    zk.delete("/w/n", -1);
    System.out.println("delete: " + one.several(2));

    Events persistent = new Events();
    zk.addWatch("/w", persistent, AddWatchMode.PERSISTENT);
    zk.setData("/w", null, -1);
    zk.create("/w/a", null, open, CreateMode.PERSISTENT);
    zk.setData("/w", null, -1);
    System.out.println("persistent: " + persistent.several(3));
    Events recursive = new Events();
    zk.addWatch("/w", recursive, AddWatchMode.PERSISTENT_RECURSIVE);
    zk.create("/w/a/b", null, open, CreateMode.PERSISTENT);
    zk.setData("/w/a/b", null, -1);
    zk.delete("/w/a/b", -1);
    System.out.println("recursive: " + recursive.several(3));
    zk.removeWatches("/w", recursive, Watcher.WatcherType.Any, false);
    System.out.println("removed: " + recursive.next());
    zk.setData("/w/a", null, -1);
    zk.delete("/w/a", -1);
    System.out.println("the other stays: " + persistent.several(1));
    check("no such watch", () -> {
      zk.removeWatches("/w/none", one, Watcher.WatcherType.Any, false);
      return "removed";
    });
  }

  private static void acls(ZooKeeper zk) throws Exception {
    ZooKeeper other = connect(0, null);
    other.addAuthInfo("digest", bytes("user:secret"));
    check("creator", () -> other.create("/acl", bytes("v"), ZooDefs.Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT));
    check("denied", () -> zk.getData("/acl", false, null));
    check("allowed", () -> new String(other.getData("/acl", false, null), StandardCharsets.UTF_8));
    check("its list", () -> other.getACL("/acl", null));
    check("two entries", () -> shape(other.setACL("/acl", Arrays.asList(
        new ACL(ZooDefs.Perms.ALL, new Id("digest", "user:PqPUPIuckQh3jBUNtUqiUVa1pQs=")),
        new ACL(ZooDefs.Perms.READ, ZooDefs.Ids.ANYONE_ID_UNSAFE)), 0)));
    check("readable", () -> new String(zk.getData("/acl", false, null), StandardCharsets.UTF_8));
    check("its list, masked", () -> zk.getACL("/acl", null));
    check("not writable", () -> zk.setData("/acl", null, -1));
    check("empty list", () -> zk.setACL("/acl", Collections.emptyList(), -1));
    check("who", () -> {
      List<String> names = new ArrayList<>();
      other.whoAmI().forEach(client -> names.add(client.getAuthScheme() + ":" + client.getUser()));
      return sorted(names);
    });
    other.close();
  }

  private static void sessions(ZooKeeper zk) throws Exception {
    ZooKeeper first = connect(0, null);
    first.create("/session", null, ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
    ZooKeeper second = connect(first.getSessionId(), first.getSessionPasswd());
    System.out.println("the same session: " + (second.getSessionId() == first.getSessionId()));
    System.out.println("negotiated: " + second.getSessionTimeout());
    Events events = new Events();
    zk.exists("/session", events);
    second.close();
    System.out.println("closed: " + events.next());
    first.close();
  }

  public static void main(String[] arguments) throws Exception {
    servers = arguments[0];
    ZooKeeper zk = connect(0, null);
    data(zk);
    multi(zk);
    watches(zk);
    acls(zk);
    sessions(zk);
    zk.close();
    System.out.println("done");
  }
}
