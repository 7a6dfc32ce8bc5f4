//! Every message of the Kafka wire and of its internal topics, generated from the definitions under `messages/`.
//!
//! Each message has a module of its own, which also holds its nested structs:
//! [`ProduceRequest`] and [`produce_request::TopicProduceData`].

include!(concat!(env!("OUT_DIR"), "/messages.rs"));

#[cfg(test)]
mod tests {
    use super::metadata_response::{MetadataResponsePartition, MetadataResponseTopic};
    use super::*;
    use crate::wire::Struct;

    #[test]
    fn a_message_tells_the_error_codes_of_all_that_is_in_it() {
        let partitions =
            [0, 5].map(|error_code| MetadataResponsePartition { error_code, ..Default::default() });
        let topic =
            MetadataResponseTopic { error_code: 3, partitions: partitions.into(), ..Default::default() };
        let response = MetadataResponse { topics: vec![topic], ..Default::default() };
        let mut told = Vec::new();
        response.tell_error_codes(&mut |code| told.push(code));
        told.sort_unstable();
        assert_eq!(told, [0, 0, 3, 5], "and of the response itself");
        MetadataRequest::default().tell_error_codes(&mut |_| panic!("a request has none"));
    }
}
