package simulator_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/android/simulator/discovery"
)

const (
	project      = "simulated-project"
	topic        = "projects/simulated-project/topics/android"
	subscription = "projects/simulated-project/subscriptions/android"
)

// world is a service, held against the discovery documents, with Google's clients for it.
type world struct {
	*testing.T
	service    *simulator.Service
	server     *httptest.Server
	emm        *androidmanagement.Service
	queue      *pubsub.Service
	enterprise string

	mu  sync.Mutex
	now time.Time
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// newWorld has an enterprise, without notifications.
func newWorld(t *testing.T, options simulator.Options) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC)}
	options.Now = w.Now
	w.service = simulator.NewService(options)
	w.server = httptest.NewServer(discovery.Wrap(t, w.service))
	t.Cleanup(w.server.Close)
	w.connect(option.WithoutAuthentication())
	w.enterprise = w.service.AddEnterprise()
	return w
}

func (w *world) connect(options ...option.ClientOption) {
	w.Helper()
	options = append(options, option.WithEndpoint(w.server.URL))
	var err error
	w.emm, err = androidmanagement.NewService(context.Background(), options...)
	w.must(err)
	w.queue, err = pubsub.NewService(context.Background(), options...)
	w.must(err)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// listen makes the topic and the subscription, and has the enterprise notify.
func (w *world) listen() {
	w.Helper()
	_, err := w.queue.Projects.Topics.Create(topic, &pubsub.Topic{}).Do()
	w.must(err)
	_, err = w.queue.Projects.Topics.SetIamPolicy(topic, &pubsub.SetIamPolicyRequest{
		Policy: &pubsub.Policy{Bindings: []*pubsub.Binding{{Role: "roles/pubsub.publisher",
			Members: []string{
				"serviceAccount:android-cloud-policy@system.gserviceaccount.com"}}}}}).Do()
	w.must(err)
	_, err = w.queue.Projects.Subscriptions.Create(subscription,
		&pubsub.Subscription{Topic: topic, AckDeadlineSeconds: 60}).Do()
	w.must(err)
	_, err = w.emm.Enterprises.Patch(w.enterprise, &androidmanagement.Enterprise{
		PubsubTopic:              topic,
		EnabledNotificationTypes: []string{"ENROLLMENT", "STATUS_REPORT", "COMMAND"}}).
		UpdateMask("pubsubTopic,enabledNotificationTypes").Do()
	w.must(err)
}

// got is a notification.
type got struct {
	kind, ackID string
	device      androidmanagement.Device
}

// pull takes what the subscription delivers now, and leaves it unacknowledged.
func (w *world) pull() []got {
	w.Helper()
	answer, err := w.queue.Projects.Subscriptions.Pull(subscription,
		&pubsub.PullRequest{MaxMessages: 100}).Do()
	w.must(err)
	var list []got
	for _, received := range answer.ReceivedMessages {
		one := got{kind: received.Message.Attributes["notificationType"], ackID: received.AckId}
		raw, err := base64.StdEncoding.DecodeString(received.Message.Data)
		w.must(err)
		w.must(json.Unmarshal(raw, &one.device))
		list = append(list, one)
	}
	return list
}

func (w *world) acknowledge(list []got) {
	w.Helper()
	ids := make([]string, 0, len(list))
	for _, one := range list {
		ids = append(ids, one.ackID)
	}
	_, err := w.queue.Projects.Subscriptions.Acknowledge(subscription,
		&pubsub.AcknowledgeRequest{AckIds: ids}).Do()
	w.must(err)
}

// take pulls and acknowledges.
func (w *world) take() []got {
	w.Helper()
	list := w.pull()
	if len(list) > 0 {
		w.acknowledge(list)
	}
	return list
}

func kinds(list []got) string {
	var names []string
	for _, one := range list {
		names = append(names, one.kind)
	}
	return strings.Join(names, " ")
}

// reporting is a policy that wants all reports, with apps of an install type.
func reporting(installType string, packages ...string) *androidmanagement.Policy {
	p := &androidmanagement.Policy{PlayStoreMode: "BLACKLIST",
		StatusReportingSettings: &androidmanagement.StatusReportingSettings{
			ApplicationReportsEnabled: true, SoftwareInfoEnabled: true, MemoryInfoEnabled: true,
			NetworkInfoEnabled: true, DeviceSettingsEnabled: true,
			ApplicationReportingSettings: &androidmanagement.ApplicationReportingSettings{
				IncludeRemovedApps: true}}}
	for _, name := range packages {
		p.Applications = append(p.Applications, &androidmanagement.ApplicationPolicy{
			PackageName: name, InstallType: installType})
	}
	return p
}

// post sends a policy, whole.
func (w *world) post(id string, p *androidmanagement.Policy) *androidmanagement.Policy {
	w.Helper()
	answer, err := w.emm.Enterprises.Policies.Patch(w.enterprise+"/policies/"+id, p).Do()
	w.must(err)
	return answer
}

func (w *world) token(usage, policy string) *androidmanagement.EnrollmentToken {
	w.Helper()
	answer, err := w.emm.Enterprises.EnrollmentTokens.Create(w.enterprise,
		&androidmanagement.EnrollmentToken{AllowPersonalUsage: usage, PolicyName: policy,
			AdditionalData: "group-1"}).Do()
	w.must(err)
	return answer
}

// enroll enrolls a fully managed device with the policy "p", which has to be there.
func (w *world) enroll(serial string, options simulator.DeviceOptions) *simulator.Device {
	w.Helper()
	d, err := w.service.Enroll(w.token("PERSONAL_USAGE_DISALLOWED", "p").Value, serial, options)
	w.must(err)
	return d
}

func (w *world) get(d *simulator.Device) *androidmanagement.Device {
	w.Helper()
	answer, err := w.emm.Enterprises.Devices.Get(d.Name()).Do()
	w.must(err)
	return answer
}

// refused expects an error with a status and a text.
func (w *world) refused(err error, code int, text string) {
	w.Helper()
	var answer *googleapi.Error
	if !errors.As(err, &answer) || answer.Code != code || !strings.Contains(answer.Message, text) {
		w.Errorf("%v, want %d and %q", err, code, text)
	}
}
