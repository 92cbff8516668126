/**
 * The artifact store: bytes by their digest, references by key, quotas, removal.
 *
 * <pre>
 *   root/FORMAT, LOCK        see GuardedFolder
 *   root/blobs/ab/ab12…      bytes, named by their SHA-256
 *   root/refs/ab/ab12…-KEY   who keeps them: kind, tags, parent, time
 *   root/tmp                 files under way; emptied at start
 *   root/quarantine          bytes that did not match their name; a few
 *
 *   event loops ── lookup ──▶ RefIndex (concurrent maps, never waits)
 *        │
 *        └─ put, read, pin ─▶ bounded queue ─▶ artifacts-N threads ─▶ BlobStore, RefFolder ─▶ Disk
 * </pre>
 *
 * <p><b>May import:</b> {@code artifacts.disk}, {@code artifacts.json}, {@code contracts}, {@code java.base}.
 */
@NullMarked
package io.llamaorch.orchestratord.artifacts.store;

import org.jspecify.annotations.NullMarked;
