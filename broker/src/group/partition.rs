//! Which partition of `__consumer_offsets` keeps a group. Every broker and client tool must agree on it, so it is Kafka's
//! formula: Java's hash of the group id.

/// The partition of the group among `partitions`.
pub fn partition_of(group: &str, partitions: i32) -> i32 {
    (java_hash(group) & i32::MAX) % partitions.max(1)
}

/// `String.hashCode` of Java, which goes by UTF-16 units.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_java() {
        assert_eq!(java_hash(""), 0);
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("polygenelubricants"), i32::MIN);
        assert_eq!(java_hash("čau 🦀"), -793_822_335);
    }

    #[test]
    fn partitions_are_within_bounds() {
        assert_eq!(partition_of("polygenelubricants", 50), 0);
        assert_eq!(partition_of("hello", 50), 22);
    }
}
