package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Tries a transaction of one record; answers with what stopped it and how long that took.
func (c *client) transaction(id, topic string) (any, error) {
	began := time.Now()
	err := c.tryTransaction(id, topic)
	answer := map[string]any{"refusal": nil, "seconds": time.Since(began).Seconds()}
	if err != nil {
		answer["refusal"] = err.Error()
	}
	return answer, nil
}

func (c *client) tryTransaction(id, topic string) error {
	producer, err := kgo.NewClient(kgo.SeedBrokers(c.bootstrap...), kgo.TransactionalID(id))
	if err != nil {
		return err
	}
	defer producer.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := producer.BeginTransaction(); err != nil {
		return err
	}
	sent := &kgo.Record{Topic: topic, Value: []byte("in a transaction")}
	if err := producer.ProduceSync(ctx, sent).FirstErr(); err != nil {
		return err
	}
	return producer.EndTransaction(ctx, kgo.TryCommit)
}
