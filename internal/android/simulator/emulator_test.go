package simulator_test

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator/discovery"
)

// emulatorFolder is where Debian's google-cloud-cli-pubsub-emulator installs Google's emulator.
const emulatorFolder = "/usr/lib/google-cloud-sdk/platform/pubsub-emulator"

// startEmulator runs Google's Pub/Sub emulator until the test ends, and returns its address.
func startEmulator(t *testing.T) string {
	t.Helper()
	folder := cmp.Or(os.Getenv("PUBSUB_EMULATOR"), emulatorFolder)
	jars, err := os.ReadDir(folder + "/lib")
	java, errJava := exec.LookPath("java")
	if err != nil || errJava != nil || len(jars) == 0 {
		t.Skipf("Google's Pub/Sub emulator is not in %s, or there is no Java: on Debian, "+
			"google-cloud-cli-pubsub-emulator; only the simulated Pub/Sub is tested", folder)
	}
	// It does not tell which port it chose, so it is given one.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	listener.Close()
	command := exec.CommandContext(t.Context(), java, "-XX:TieredStopAtLevel=1", "-jar",
		folder+"/lib/"+jars[0].Name(), "--host=127.0.0.1", fmt.Sprint("--port=", address.Port))
	said, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	started := make(chan bool, 1)
	go func() {
		defer close(started)
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if strings.Contains(lines.Text(), "Server started") {
				started <- true
			}
		}
	}()
	t.Cleanup(func() {
		command.Process.Kill()
		command.Wait()
	})
	if !<-started {
		t.Fatal("Google's Pub/Sub emulator did not start")
	}
	return "http://" + address.String()
}

// The calls that a channel makes mean the same to Google's emulator and to the simulated Pub/Sub.
func TestPubSubIsGoogles(t *testing.T) {
	t.Run("simulated", func(t *testing.T) {
		server := httptest.NewServer(discovery.Wrap(t,
			simulator.NewService(simulator.Options{})))
		defer server.Close()
		testPubSub(t, server.URL)
	})
	t.Run("Google's emulator", func(t *testing.T) { testPubSub(t, startEmulator(t)) })
}

func testPubSub(t *testing.T, address string) {
	client, err := pubsub.NewService(t.Context(), option.WithEndpoint(address),
		option.WithoutAuthentication())
	if err != nil {
		t.Fatal(err)
	}
	topics, subscriptions := client.Projects.Topics, client.Projects.Subscriptions
	const missing = "projects/simulated-project/subscriptions/missing"
	var acks []string
	publish := func(data string) func() (any, error) {
		return func() (any, error) {
			answer, err := topics.Publish(topic, &pubsub.PublishRequest{
				Messages: []*pubsub.PubsubMessage{{Data: base64.StdEncoding.EncodeToString(
					[]byte(data)), Attributes: map[string]string{"notificationType": "X"}}}}).Do()
			return err == nil && len(answer.MessageIds) == 1 && answer.MessageIds[0] != "", err
		}
	}
	pull := func() (any, error) {
		answer, err := subscriptions.Pull(subscription,
			&pubsub.PullRequest{MaxMessages: 10, ReturnImmediately: true}).Do()
		if err != nil {
			return nil, err
		}
		list := []string{}
		for _, received := range answer.ReceivedMessages {
			raw, err := base64.StdEncoding.DecodeString(received.Message.Data)
			if err != nil || received.Message.MessageId == "" ||
				received.Message.PublishTime == "" {
				t.Errorf("message %+v", received.Message)
			}
			list = append(list, string(raw)+received.Message.Attributes["notificationType"])
			acks = append(acks, received.AckId)
		}
		slices.Sort(list)
		return strings.Join(list, " "), nil
	}
	acknowledge := func(ids *[]string) func() (any, error) {
		return func() (any, error) {
			_, err := subscriptions.Acknowledge(subscription,
				&pubsub.AcknowledgeRequest{AckIds: *ids}).Do()
			return nil, err
		}
	}
	create := func(name string, config *pubsub.Subscription) func() (any, error) {
		return func() (any, error) {
			answer, err := subscriptions.Create(name, config).Do()
			if err != nil {
				return nil, err
			}
			return fmt.Sprint(answer.Name == name, answer.Topic == config.Topic,
				answer.AckDeadlineSeconds), nil
		}
	}
	createTopic := func() (any, error) {
		answer, err := topics.Create(topic, &pubsub.Topic{}).Do()
		return err == nil && answer.Name == topic, err
	}
	for _, step := range []struct {
		what string
		do   func() (any, error)
		want any
	}{
		{"subscribe to no topic", create(subscription, &pubsub.Subscription{Topic: topic}), 404},
		{"create a topic", createTopic, true},
		{"create it again", createTopic, 409},
		{"subscribe", create(subscription, &pubsub.Subscription{Topic: topic}), "true true 10"},
		{"subscribe again", create(subscription, &pubsub.Subscription{Topic: topic}), 409},
		{"subscribe with a deadline", create(missing+"-not",
			&pubsub.Subscription{Topic: topic, AckDeadlineSeconds: 60}), "true true 60"},
		{"a deadline that is too long", create(missing,
			&pubsub.Subscription{Topic: topic, AckDeadlineSeconds: 601}), 400},
		{"pull nothing", pull, ""},
		{"pull from what is not there", func() (any, error) {
			return subscriptions.Pull(missing, &pubsub.PullRequest{MaxMessages: 1}).Do()
		}, 404},
		{"pull no messages", func() (any, error) {
			return subscriptions.Pull(subscription, &pubsub.PullRequest{}).Do()
		}, 400},
		{"publish an empty message", func() (any, error) {
			return topics.Publish(topic, &pubsub.PublishRequest{
				Messages: []*pubsub.PubsubMessage{{}}}).Do()
		}, 400},
		{"publish", publish("a"), true},
		{"publish more", publish("b"), true},
		{"pull", pull, "aX bX"},
		{"pull before the deadline", pull, ""},
		{"hand them back", func() (any, error) {
			_, err := subscriptions.ModifyAckDeadline(subscription,
				&pubsub.ModifyAckDeadlineRequest{AckIds: acks}).Do()
			acks = nil
			return nil, err
		}, nil},
		{"pull them again", pull, "aX bX"},
		{"acknowledge", acknowledge(&acks), nil},
		{"acknowledge again", acknowledge(&acks), nil},
		{"acknowledge nothing", acknowledge(new([]string)), 400},
		{"pull what is left", pull, ""},
		{"unsubscribe", func() (any, error) {
			_, err := subscriptions.Delete(subscription).Do()
			return nil, err
		}, nil},
		{"unsubscribe again", func() (any, error) {
			return subscriptions.Delete(subscription).Do()
		}, 404},
		{"get what is not there", func() (any, error) {
			return subscriptions.Get(subscription).Do()
		}, 404},
		{"delete the topic", func() (any, error) {
			_, err := topics.Delete(topic).Do()
			return nil, err
		}, nil},
		{"publish to no topic", publish("c"), 404},
	} {
		got, err := step.do()
		var refusal *googleapi.Error
		if errors.As(err, &refusal) {
			got, err = refusal.Code, nil
		}
		if err != nil || got != step.want {
			t.Errorf("%s: %v %v, want %v", step.what, got, err, step.want)
		}
	}
}
