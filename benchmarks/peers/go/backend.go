package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

var (
	backend = os.Getenv("BACKEND")
	// Two idle connections a host, which is the default, would be dialled anew all the time.
	client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512, IdleConnTimeout: 75 * time.Second}}
)

// get decodes the reply to a path of the backend.
func get[T any](ctx context.Context, path string) (reply T, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, backend+path, nil)
	if err != nil {
		return reply, err
	}
	response, err := client.Do(request)
	if err != nil {
		return reply, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return reply, fmt.Errorf("%s: %s", path, response.Status)
	}
	err = json.NewDecoder(response.Body).Decode(&reply)
	return reply, err
}

// getAll decodes the replies to all paths, asked side by side.
func getAll[T any](ctx context.Context, paths []string) ([]T, error) {
	replies := make([]T, len(paths))
	calls := make([]func(context.Context) error, len(paths))
	for number, path := range paths {
		calls[number] = into(&replies[number], path)
	}
	return replies, together(ctx, calls...)
}

// into makes a call that decodes the reply to a path into a value.
func into[T any](reply *T, path string) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		*reply, err = get[T](ctx, path)
		return err
	}
}

// together makes all calls side by side; the first that fails ends the others, and its error is given.
func together(ctx context.Context, calls ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		group sync.WaitGroup
		once  sync.Once
		first error
	)
	for _, call := range calls {
		group.Add(1)
		go func() {
			defer group.Done()
			if err := call(ctx); err != nil {
				once.Do(func() {
					first = err
					cancel()
				})
			}
		}()
	}
	group.Wait()
	return first
}
