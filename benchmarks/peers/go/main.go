// The pages by hand in Go: net/http on both sides, encoding/json, nothing beside the standard library.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"time"
)

const (
	deadline    = 3 * time.Second
	benchPerson = "person-007"
)

var (
	sameWork = os.Getenv("WORK") == "same"
	logger   = slog.New(slog.NewJSONHandler(os.Stdout, nil))

	errBadRequest   = errors.New("bad request")
	errUnauthorized = errors.New("sign in first")
)

// page makes the answer for a user; its context ends at the page's deadline.
type page func(ctx context.Context, user string, r *http.Request) (any, error)

func main() {
	mux := http.NewServeMux()
	mux.Handle("GET /api/home", page(home))
	mux.Handle("GET /api/fan", page(fan))
	mux.Handle("GET /api/size", page(size))
	mux.Handle("GET /api/list", page(list))
	mux.HandleFunc("POST /api/sign-in", signIn)
	server := &http.Server{
		Addr:              "127.0.0.1:" + os.Getenv("PORT"),
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

func (p page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	answer, err := p.answer(r)
	if err != nil {
		answer = map[string]string{"error": err.Error()}
	}
	status := statusOf(err)
	body, err := json.Marshal(answer)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	if sameWork {
		took := float64(time.Since(begun).Microseconds()) / 1000
		w.Header().Set("Server-Timing", fmt.Sprintf("total;dur=%.1f", took))
		if status == http.StatusOK {
			etag := fmt.Sprintf(`"%x"`, sha256.Sum256(body))
			w.Header().Set("ETag", etag)
			if r.Header.Get("If-None-Match") == etag {
				status, body = http.StatusNotModified, nil
			}
		}
	}
	if status != http.StatusNotModified {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	w.Write(body)
	if sameWork {
		ms := float64(time.Since(begun).Microseconds()) / 1000
		logger.Info("page", "route", r.URL.Path, "status", status, "ms", ms)
	}
}

func (p page) answer(r *http.Request) (any, error) {
	if !sameWork {
		return p(r.Context(), benchPerson, r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), deadline)
	defer cancel()
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return nil, errUnauthorized
	}
	user, err := opened(cookie.Value)
	if err != nil {
		return nil, errUnauthorized
	}
	return p(ctx, user, r)
}

func statusOf(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, errUnauthorized):
		return http.StatusUnauthorized
	case errors.Is(err, errBadRequest):
		return http.StatusBadRequest
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}

func signIn(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		User string `json:"user"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	value, err := sealed(asked.User)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"id": asked.User})
}
