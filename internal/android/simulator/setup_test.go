package simulator_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/api/androidmanagement/v1"
	"google.golang.org/api/option"
	"google.golang.org/api/pubsub/v1"

	"github.com/syncpayloads/syncpayloads/internal/android/simulator"
)

// authenticate has the clients call with a service account's file, as an admin's server does.
func (w *world) authenticate(account string) {
	w.Helper()
	file, err := w.service.ServiceAccount(w.server.URL, account)
	w.must(err)
	w.connect(option.WithAuthCredentialsJSON(option.ServiceAccount, file))
}

// signUp goes the admin's way: the page, and back to the callback with a token.
func (w *world) signUp() (*androidmanagement.SignupUrl, string) {
	w.Helper()
	link, err := w.emm.SignupUrls.Create().ProjectId(project).
		CallbackUrl("https://mdm.example.com/android/callback?state=7").Do()
	w.must(err)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	answer, err := client.Get(link.Url)
	w.must(err)
	answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	w.must(err)
	if back.Host != "mdm.example.com" || back.Query().Get("state") != "7" {
		w.Fatalf("the admin comes back to %s", back)
	}
	return link, back.Query().Get("enterpriseToken")
}

// The whole set-up, with the credentials of a service account.
func TestSetUp(t *testing.T) {
	w := newWorld(t, simulator.Options{RequireToken: true})
	_, err := w.emm.Enterprises.Get(w.enterprise).Do()
	w.refused(err, 401, "missing required authentication")
	w.authenticate("")
	link, token := w.signUp()
	create := func(signup, token string) (*androidmanagement.Enterprise, error) {
		return w.emm.Enterprises.Create(&androidmanagement.Enterprise{
			EnterpriseDisplayName: "Example"}).ProjectId(project).SignupUrlName(signup).
			EnterpriseToken(token).Do()
	}
	_, err = create(link.Name, token+"x")
	w.refused(err, 400, "enterprise_token")
	_, err = create("signupUrls/none", token)
	w.refused(err, 400, "signup_url_name")
	e, err := create(link.Name, token)
	w.must(err)
	_, err = create(link.Name, token)
	w.refused(err, 400, "signup_url_name")
	w.enterprise = e.Name
	listed, err := w.emm.Enterprises.List().ProjectId(project).Do()
	w.must(err)
	if len(listed.Enterprises) != 2 || listed.Enterprises[1].Name != e.Name {
		t.Errorf("enterprises: %+v", listed.Enterprises)
	}
	w.listen()
	if kinds(w.take()) != "test" {
		t.Error("the new topic got no test message")
	}
	w.service.RevokeTokens()
	_, err = w.emm.Enterprises.Get(e.Name).Do()
	w.refused(err, 401, "invalid authentication credentials")
}

// Another project sees nothing of this one's.
func TestProjectsAreApart(t *testing.T) {
	w := newWorld(t, simulator.Options{RequireToken: true})
	w.authenticate("another-project")
	_, err := w.emm.Enterprises.Get(w.enterprise).Do()
	w.refused(err, 403, "not authorized")
	_, err = w.emm.Enterprises.List().ProjectId(project).Do()
	w.refused(err, 403, "permission")
	_, err = w.queue.Projects.Topics.Create(topic, &pubsub.Topic{}).Do()
	w.refused(err, 403, "not authorized")
	if _, err = w.emm.SignupUrls.Create().ProjectId(project).
		CallbackUrl("https://mdm.example.com").Do(); err == nil {
		t.Error("signed up for another project")
	}
}

func TestTokenEndpointRefuses(t *testing.T) {
	w := newWorld(t, simulator.Options{RequireToken: true})
	for _, form := range []url.Values{
		{"grant_type": {"client_credentials"}},
		{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {"a.b.c"}},
		{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"},
			"assertion": {w.service.PushToken(simulator.PushClaims{Issuer: "nobody"})}}} {
		answer, err := http.PostForm(w.server.URL+"/token", form)
		w.must(err)
		answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%v: %s", form, answer.Status)
		}
	}
	// A service account of another service signs as well as ours, and is not known.
	other := newWorld(t, simulator.Options{RequireToken: true})
	file, err := other.service.ServiceAccount(w.server.URL, "")
	w.must(err)
	w.connect(option.WithAuthCredentialsJSON(option.ServiceAccount, file))
	if _, err := w.emm.Enterprises.Get(w.enterprise).Do(); err == nil ||
		!strings.Contains(err.Error(), "account not found") {
		t.Errorf("a strange account: %v", err)
	}
}

// AMAPI publishes only where it may.
func TestTopicNeedsPermission(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	patch := func() error {
		_, err := w.emm.Enterprises.Patch(w.enterprise, &androidmanagement.Enterprise{
			PubsubTopic: topic}).UpdateMask("pubsubTopic").Do()
		return err
	}
	w.refused(patch(), 400, "cannot publish")
	_, err := w.queue.Projects.Topics.Create(topic, &pubsub.Topic{}).Do()
	w.must(err)
	w.refused(patch(), 400, "cannot publish")
}

func TestEnterprisePatchAndDelete(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	patched, err := w.emm.Enterprises.Patch(w.enterprise, &androidmanagement.Enterprise{
		EnterpriseDisplayName: "Example", PrimaryColor: 7}).
		UpdateMask("enterpriseDisplayName").Do()
	w.must(err)
	if patched.EnterpriseDisplayName != "Example" || patched.PrimaryColor != 0 {
		t.Errorf("patched: %+v", patched)
	}
	_, err = w.emm.Enterprises.Patch(w.enterprise, &androidmanagement.Enterprise{
		EnterpriseDisplayName: strings.Repeat("x", 101)}).Do()
	w.refused(err, 400, "enterprise_display_name")
	w.post("p", reporting("FORCE_INSTALLED", "com.example.mail"))
	d := w.enroll("S1", simulator.DeviceOptions{})
	_, err = w.emm.Enterprises.Delete(w.enterprise).Do()
	w.must(err)
	_, err = w.emm.Enterprises.Get(w.enterprise).Do()
	w.refused(err, 404, w.enterprise)
	if d.Sync() == nil || d.Enrolled() {
		t.Error("the device is managed without its enterprise")
	}
}

func TestWebAppsAndPlay(t *testing.T) {
	w := newWorld(t, simulator.Options{})
	const icon = "iVBORw0KGgo="
	made, err := w.emm.Enterprises.WebApps.Create(w.enterprise, &androidmanagement.WebApp{
		Title: "Intranet", StartUrl: "https://intra.example.com", DisplayMode: "STANDALONE",
		Icons: []*androidmanagement.WebAppIcon{{ImageData: icon}}}).Do()
	w.must(err)
	pack := strings.TrimPrefix(made.Name, w.enterprise+"/webApps/")
	if made.VersionCode != 1 || !strings.HasPrefix(pack, "com.google.enterprise.webapp.") {
		t.Errorf("web app %+v", made)
	}
	made, err = w.emm.Enterprises.WebApps.Patch(made.Name, &androidmanagement.WebApp{
		Title: "Portal"}).UpdateMask("title").Do()
	w.must(err)
	listed, err := w.emm.Enterprises.WebApps.List(w.enterprise).Do()
	w.must(err)
	if made.VersionCode != 2 || len(listed.WebApps) != 1 || listed.WebApps[0].Title != "Portal" ||
		listed.WebApps[0].StartUrl != "https://intra.example.com" {
		t.Errorf("patched %+v, listed %+v", made, listed.WebApps)
	}
	app, err := w.emm.Enterprises.Applications.Get(w.enterprise + "/applications/" + pack).Do()
	w.must(err)
	if app.Title != "Portal" {
		t.Errorf("in Play it is %q", app.Title)
	}
	_, err = w.emm.Enterprises.WebApps.Create(w.enterprise, &androidmanagement.WebApp{
		Title: "Intranet", StartUrl: "https://intra.example.com"}).Do()
	w.refused(err, 400, "web_app.icons")
	_, err = w.emm.Enterprises.WebApps.Delete(made.Name).Do()
	w.must(err)
	_, err = w.emm.Enterprises.WebApps.Get(made.Name).Do()
	w.refused(err, 404, pack)
	_, err = w.emm.Enterprises.Applications.Get(w.enterprise + "/applications/" +
		simulator.UnlistedPrefix + "app").Do()
	w.refused(err, 404, "unlisted")
	web, err := w.emm.Enterprises.WebTokens.Create(w.enterprise, &androidmanagement.WebToken{
		ParentFrameUrl:  "https://mdm.example.com",
		EnabledFeatures: []string{"PLAY_SEARCH"}}).Do()
	w.must(err)
	if web.Value == "" {
		t.Error("a web token without a value")
	}
	_, err = w.emm.Enterprises.WebTokens.Create(w.enterprise, &androidmanagement.WebToken{
		ParentFrameUrl: "http://mdm.example.com"}).Do()
	w.refused(err, 400, "https")
}
