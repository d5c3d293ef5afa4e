// Command client is franz-go behind the verbs that all client programs here have: options in one
// JSON argument, one JSON object a line on standard output, an end when standard input ends.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Options are what a program is told to do.
type Options struct {
	Verb            string `json:"verb"`
	Bootstrap       string `json:"bootstrap"`
	ClientID        string `json:"clientId"`
	Topic           string `json:"topic"`
	Group           string `json:"group"`
	Source          string `json:"source"`
	Target          string `json:"target"`
	TransactionalID string `json:"transactionalId"`
	Codec           string `json:"codec"`
	Isolation       string `json:"isolation"`
	Strategy        string `json:"strategy"`
	Protocol        string `json:"protocol"`
	First           int    `json:"first"`
	Count           int    `json:"count"`
}

type facts map[string]any

var options Options

func main() {
	must(json.Unmarshal([]byte(os.Args[1]), &options))
	stop, cancel := context.WithCancel(context.Background())
	go func() {
		input := bufio.NewScanner(os.Stdin)
		for input.Scan() {
		}
		cancel()
	}()
	verbs := map[string]func(context.Context){
		"produce": produce, "member": member, "transact": transact, "admin": admin,
	}
	verbs[options.Verb](stop)
	say("done", facts{})
}

func say(event string, rest facts) {
	rest["event"] = event
	line, err := json.Marshal(rest)
	must(err)
	fmt.Println(string(line))
}

func step(name string, result any) {
	say("step", facts{"name": name, "result": result})
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func client(more ...kgo.Opt) *kgo.Client {
	all := append([]kgo.Opt{
		kgo.SeedBrokers(options.Bootstrap),
		kgo.ClientID(options.ClientID),
		kgo.AllowAutoTopicCreation(),
	}, more...)
	made, err := kgo.NewClient(all...)
	must(err)
	return made
}

func background() context.Context {
	within, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	_ = cancel
	return within
}

func produce(context.Context) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	producer := client(kgo.ProducerBatchCompression(codecs[options.Codec]))
	defer producer.Close()
	for number := options.First; number < options.First+options.Count; number++ {
		value := fmt.Sprintf("record-%d", number)
		record := &kgo.Record{
			Topic: options.Topic, Key: []byte(value[len(value)-1:]), Value: []byte(value),
		}
		producer.Produce(background(), record, func(record *kgo.Record, err error) {
			must(err)
			say("sent", facts{
				"value": string(record.Value), "partition": record.Partition, "offset": record.Offset,
			})
		})
	}
	must(producer.Flush(background()))
}

func grouping() []kgo.Opt {
	isolation := kgo.ReadUncommitted()
	if options.Isolation == "read_committed" {
		isolation = kgo.ReadCommitted()
	}
	balancers := map[string]kgo.GroupBalancer{
		"": kgo.RangeBalancer(), "range": kgo.RangeBalancer(), "roundrobin": kgo.RoundRobinBalancer(),
		"sticky": kgo.StickyBalancer(), "cooperative-sticky": kgo.CooperativeStickyBalancer(),
	}
	common := []kgo.Opt{
		kgo.ConsumerGroup(options.Group),
		kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(isolation),
		kgo.MetadataMinAge(100 * time.Millisecond),
	}
	if options.Protocol == "consumer" {
		// The library hides it behind this; its sticky balancer stands for the server's `uniform`.
		wanted := context.WithValue(background(), "opt_in_kafka_next_gen_balancer_beta", true)
		return append(common, kgo.WithContext(wanted), kgo.Balancers(kgo.StickyBalancer()))
	}
	return append(common,
		kgo.HeartbeatInterval(300*time.Millisecond),
		kgo.SessionTimeout(10*time.Second),
		kgo.Balancers(balancers[options.Strategy]),
	)
}

func member(stop context.Context) {
	held := map[int32]bool{}
	announce := func() {
		partitions := []int{}
		for partition := range held {
			partitions = append(partitions, int(partition))
		}
		sort.Ints(partitions)
		say("assigned", facts{"partitions": partitions})
	}
	lose := func(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
		for _, partition := range lost[options.Topic] {
			delete(held, partition)
		}
		if options.Protocol != "" {
			announce()
		}
	}
	gain := func(_ context.Context, _ *kgo.Client, gained map[string][]int32) {
		for _, partition := range gained[options.Topic] {
			held[partition] = true
		}
		announce()
	}
	consumer := client(append(grouping(),
		kgo.ConsumeTopics(options.Topic),
		kgo.OnPartitionsAssigned(gain), kgo.OnPartitionsRevoked(lose), kgo.OnPartitionsLost(lose),
	)...)
	for stop.Err() == nil {
		fetches := consumer.PollFetches(stop)
		fetches.EachRecord(func(record *kgo.Record) {
			say("record", facts{
				"value": string(record.Value), "partition": record.Partition, "offset": record.Offset,
			})
		})
		// A commit that a rebalance has overtaken is made anew by the next member.
		_ = consumer.CommitUncommittedOffsets(background())
	}
	consumer.LeaveGroup()
	consumer.Close()
}

func transact(context.Context) {
	session, err := kgo.NewGroupTransactSession(append(grouping(),
		kgo.SeedBrokers(options.Bootstrap),
		kgo.ClientID(options.ClientID),
		kgo.AllowAutoTopicCreation(),
		kgo.TransactionalID(options.TransactionalID),
		kgo.ConsumeTopics(options.Source),
		kgo.RequireStableFetchOffsets(),
	)...)
	must(err)
	send := func(value string) {
		record := &kgo.Record{Topic: options.Target, Value: []byte(value)}
		session.Produce(background(), record, func(_ *kgo.Record, err error) { must(err) })
	}
	producer := session.Client()
	must(producer.BeginTransaction())
	for number := 0; number < 5; number++ {
		send(fmt.Sprintf("aborted-%d", number))
	}
	must(producer.Flush(background()))
	must(producer.EndTransaction(background(), kgo.TryAbort))

	must(session.Begin())
	for count := 0; count < options.Count; {
		session.PollFetches(background()).EachRecord(func(record *kgo.Record) {
			count++
			send("copy-of-" + string(record.Value))
		})
	}
	committed, err := session.End(background(), kgo.TryCommit)
	must(err)
	if !committed {
		must(fmt.Errorf("the transaction was aborted"))
	}
	session.Close()
}
