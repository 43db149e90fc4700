package test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/syncpayloads/syncpayloads/internal/android/amapi"
	google "github.com/syncpayloads/syncpayloads/internal/android/simulator"
	"github.com/syncpayloads/syncpayloads/internal/apple/simulator"
)

// Thousands of forged messages at once, of every kind, while Google's keys do not come: devices and
// admins are served meanwhile, the keys are asked for a few times, and nobody is enrolled. Google's
// own message is taken as soon as the keys are there.
func TestForgedPushesAtOnce(t *testing.T) {
	s := newMixedSite(t, false)
	var fetches atomic.Int64
	comes := make(chan struct{})
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetches.Add(1)
		select {
		case <-comes:
			s.google.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { keys.CloseClientConnections(); keys.Close() })
	s.end()
	s.config.Android.Endpoints.PushKeys = keys.URL + "/certs"
	s.start()
	email := s.setUpPushes()
	wifi := s.profile("com.example.wifi")
	iphone := s.enroll(simulator.Config{Kind: simulator.IPhone})
	s.eventually("the iPhone has what is assigned to it", func() bool { return has(iphone, wifi) })

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256,
		Key: jose.JSONWebKey{Key: key, KeyID: "simulated-key-1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims := google.PushClaims{Issuer: google.Issuer, Audience: s.url + "/android/push",
		Email: email, EmailVerified: true, Subject: "1", IssuedAt: s.clock.Now().Unix(),
		Expiry: s.clock.Now().Add(time.Hour).Unix()}
	forged, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
		strings.Split(forged, ".")[1] + "."
	body := fmt.Sprintf(`{"message":{"attributes":{"notificationType":"ENROLLMENT"},"data":%q},`+
		`"subscription":"x"}`, base64.StdEncoding.EncodeToString(make([]byte, 4<<10)))

	const many = 2000
	client := &http.Client{Transport: s.transport(), Timeout: time.Minute}
	client.Transport.(*http.Transport).MaxConnsPerHost = 64
	var counts [600]atomic.Int64
	var sending sync.WaitGroup
	places := make(chan struct{}, 500)
	for i := range many {
		sending.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			r, err := http.NewRequest("POST", s.url+"/android/push", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			if token := []string{forged, none, "", forged}[i%4]; token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			answer, err := client.Do(r)
			if err != nil {
				counts[0].Add(1)
				return
			}
			_ = answer.Body.Close()
			counts[answer.StatusCode].Add(1)
		})
	}
	began := time.Now()
	s.sync(iphone, wifi)
	s.eventually("the iPhone is served meanwhile", func() bool { return !has(iphone, wifi) })
	s.must("GET", "/beta/deviceManagement/managedDevices", nil, &struct{}{})
	t.Logf("a removal took %s beside them", time.Since(began))
	close(comes)
	sending.Wait()
	for status := range counts {
		switch n := counts[status].Load(); {
		case n == 0:
		case status == http.StatusUnauthorized, status == http.StatusServiceUnavailable,
			status == http.StatusTooManyRequests:
			t.Logf("%d are answered %d", n, status)
		default:
			t.Errorf("%d are answered %d", n, status)
		}
	}
	if n := fetches.Load(); n > 8 {
		t.Errorf("the keys were asked for %d times", n)
	}
	r, err := http.NewRequest("POST", s.url+"/android/push",
		strings.NewReader(`{"message":{},"subscription":"another"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.google.PushToken(claims))
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Errorf("Google's own is answered %s", answer.Status)
	}
	var list struct{ Value []struct{ ID string } }
	s.must("GET", "/beta/deviceManagement/managedDevices?$filter="+
		url.QueryEscape("operatingSystem eq 'Android'"), nil, &list)
	if len(list.Value) != 0 {
		t.Errorf("%d devices were enrolled", len(list.Value))
	}
}

// setUpPushes makes the server's enterprise, whose messages are pushed, and returns on whose
// behalf.
func (s *mixedSite) setUpPushes() (email string) {
	s.Helper()
	channel := s.server.AndroidChannel()
	_, err := channel.SetServiceAccount(s.Context(), s.google.KeyFile(s.T))
	if err != nil {
		s.Fatal(err)
	}
	link, err := channel.BeginSignup(s.Context(), s.url+"/console/android/signup")
	if err != nil {
		s.Fatal(err)
	}
	token := s.google.FollowSignup(s.T, link).Query().Get("enterpriseToken")
	e, err := channel.FinishSignup(s.Context(), token, amapi.Push)
	if err != nil {
		s.Fatal(err)
	}
	return e.ClientEmail
}
