package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

func admin(context.Context) {
	within := background()
	client := kadm.NewClient(client())
	defer client.Close()
	topics(within, client)
	groups(within, client)
	_, err := client.DeleteTopic(within, options.Topic)
	must(err)
	gone := isSoon(func() bool {
		listed, err := client.ListTopics(within)
		return err == nil && !listed.Has(options.Topic)
	})
	step("topicIsGone", gone)
}

// Whether it becomes true in ten seconds: a broker may see a change a moment after it.
func isSoon(condition func() bool) bool {
	for attempt := 0; attempt < 50; attempt++ {
		if condition() {
			return true
		}
		time.Sleep(200 * time.Millisecond)
	}
	return false
}

func topics(within context.Context, client *kadm.Client) {
	retention := "86400000"
	configs := map[string]*string{"retention.ms": &retention}
	_, err := client.CreateTopic(within, 3, 1, configs, options.Topic)
	must(err)
	partitions := func() int {
		listed, err := client.ListTopics(within, options.Topic)
		must(err)
		return len(listed[options.Topic].Partitions)
	}
	described := func() string {
		found, err := client.DescribeTopicConfigs(within, options.Topic)
		must(err)
		for _, config := range found[0].Configs {
			if config.Key == "retention.ms" {
				return config.MaybeValue()
			}
		}
		return "none"
	}
	step("topicIsListed", isSoon(func() bool { return partitions() == 3 }))
	step("partitions", partitions())
	step("retention", described())
	changed := "3600000"
	alterations := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &changed}}
	altered, err := client.AlterTopicConfigs(within, alterations, options.Topic)
	must(err)
	must(altered[0].Err)
	isSoon(func() bool { return described() == changed })
	step("alteredRetention", described())
	_, err = client.UpdatePartitions(within, 5, options.Topic)
	must(err)
	isSoon(func() bool { return partitions() == 5 })
	step("morePartitions", partitions())
}

func groups(within context.Context, client *kadm.Client) {
	isListed := func() bool {
		listed, err := client.ListGroups(within)
		must(err)
		_, found := listed[options.Group]
		return found
	}
	step("groupIsListed", isListed())
	described, err := client.DescribeGroups(within, options.Group)
	must(err)
	step("groupState", described[options.Group].State)
	offsets, err := client.FetchOffsets(within, options.Group)
	must(err)
	sum := int64(0)
	offsets.Each(func(offset kadm.OffsetResponse) { sum += offset.At })
	step("committed", sum)
	before := kadm.Offsets{}
	before.AddOffset(options.Source, 0, 1, -1)
	_, err = client.DeleteRecords(within, before)
	must(err)
	starts, err := client.ListStartOffsets(within, options.Source)
	must(err)
	first, _ := starts.Lookup(options.Source, 0)
	step("deletedBefore", first.Offset)
	_, err = client.DeleteGroup(within, options.Group)
	must(err)
	step("groupIsGone", !isListed())
}
