/**
 * An append-only log of records in files: the one format in which the daemon writes what must not be lost and comes as a
 * stream.
 *
 * <pre>
 *   0000000001.seg   header | record | record | …            closed: ends with its last record
 *   0000000002.seg   header | record | record | zeros        written to: zeros up to where the file was extended
 *
 *   header    magic 8, segment number 8, salt 8, CRC-32C 4, zero 4
 *   record    length 4, CRC-32C 4, synced 4, type 1, version 1, check 2, payload, zeros up to a multiple of 8
 * </pre>
 *
 * <p>{@code synced} is the offset up to which the segment was on stable storage when the record was made. It tells a torn
 * tail from damage: what is bad and has a record behind it that was made when it had been synchronised already was whole
 * once. The CRC covers all but itself, the check all of the record's header but those two; both the segment's random salt,
 * so that no payload can pass for a record, or make the search for one long.
 *
 * <p>Bytes are big-endian. A file is extended by zeros a step at a time: a sync that need not record a new length takes
 * about half as long (measured on ext4: a median of 0.16 ms instead of 0.31 ms for 3.5 KB).
 *
 * <p><b>Threads:</b> one writer, any readers. Everything blocks. <b>May import:</b> {@code artifacts.disk}.
 */
@NullMarked
package io.llamaorch.orchestratord.artifacts.segment;

import org.jspecify.annotations.NullMarked;
