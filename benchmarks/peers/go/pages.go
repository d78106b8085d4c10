package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

type person struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Team   string `json:"team"`
	Locale string `json:"locale"`
}

type todo struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Status   string `json:"status"`
	Due      string `json:"due"`
	HelperID string `json:"helper_id"`
	Done     bool   `json:"done"`
}

type notice struct {
	Text string `json:"text"`
}

type shownTodo struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Due    string  `json:"due"`
	Helper *string `json:"helper"`
}

type homeAnswer struct {
	Name   string      `json:"name"`
	Open   int         `json:"open"`
	Todos  []shownTodo `json:"todos"`
	Notice string      `json:"notice"`
}

func home(ctx context.Context, user string, r *http.Request) (any, error) {
	status, limit, err := homeQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	me, err := get[person](ctx, "/people/"+url.PathEscape(user))
	if err != nil {
		return nil, err
	}
	var (
		todos  []todo
		people []person
		latest notice
	)
	err = together(ctx,
		into(&todos, "/todos?owner="+url.QueryEscape(user)),
		into(&people, "/people?team="+url.QueryEscape(me.Team)),
		into(&latest, "/notices/latest?locale="+url.QueryEscape(me.Locale)),
	)
	if err != nil {
		return nil, err
	}
	names := namesOf(people)
	answer := homeAnswer{Name: me.Name, Open: countOpen(todos), Todos: make([]shownTodo, 0, limit), Notice: latest.Text}
	for _, one := range todos {
		if len(answer.Todos) == limit {
			break
		}
		if status == "all" || one.Status == status {
			answer.Todos = append(answer.Todos, shownTodo{one.ID, one.Title, one.Due, names[one.HelperID]})
		}
	}
	return answer, nil
}

// homeQuery gives what is asked for, checked where the same work is asked of everybody.
func homeQuery(query url.Values) (status string, limit int, err error) {
	status, limit = "all", 100
	if !sameWork {
		return status, limit, nil
	}
	if query.Has("status") {
		status = query.Get("status")
	}
	if query.Has("limit") {
		limit, err = strconv.Atoi(query.Get("limit"))
	}
	if err != nil || limit < 1 || limit > 100 {
		return "", 0, fmt.Errorf("%w: limit is from 1 to 100", errBadRequest)
	}
	switch status {
	case "all", "open", "done":
		return status, limit, nil
	default:
		return "", 0, fmt.Errorf("%w: status is all, open or done", errBadRequest)
	}
}

func fan(ctx context.Context, _ string, r *http.Request) (any, error) {
	calls, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		return nil, fmt.Errorf("%w: n is a number", errBadRequest)
	}
	paths := make([]string, calls)
	for number := range paths {
		paths[number] = fmt.Sprintf("/small/%d", number)
	}
	replies, err := getAll[struct {
		Value int `json:"value"`
	}](ctx, paths)
	if err != nil {
		return nil, err
	}
	values := make([]int, len(replies))
	for number, reply := range replies {
		values[number] = reply.Value
	}
	return map[string][]int{"values": values}, nil
}

type sizeAnswer struct {
	Count  int      `json:"count"`
	Open   int      `json:"open"`
	Titles []string `json:"titles"`
}

func size(ctx context.Context, _ string, r *http.Request) (any, error) {
	found, err := get[struct {
		Items []todo `json:"items"`
	}](ctx, "/sized/"+url.PathEscape(r.URL.Query().Get("kb")))
	if err != nil {
		return nil, err
	}
	answer := sizeAnswer{Count: len(found.Items), Open: countOpen(found.Items), Titles: []string{}}
	for _, one := range found.Items[:min(10, len(found.Items))] {
		answer.Titles = append(answer.Titles, one.Title)
	}
	return answer, nil
}

type listedTodo struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Helper *string `json:"helper"`
}

func list(ctx context.Context, _ string, r *http.Request) (any, error) {
	todos, err := get[[]todo](ctx, "/listed")
	if err != nil {
		return nil, err
	}
	helpers, err := helpersOf(ctx, todos, r.URL.Query().Get("way") == "batch")
	if err != nil {
		return nil, err
	}
	names := namesOf(helpers)
	shown := make([]listedTodo, len(todos))
	for number, one := range todos {
		shown[number] = listedTodo{one.ID, one.Title, names[one.HelperID]}
	}
	return map[string][]listedTodo{"todos": shown}, nil
}

// helpersOf asks for everybody at once, or for each by a call of their own.
func helpersOf(ctx context.Context, todos []todo, batch bool) ([]person, error) {
	seen := make(map[string]bool, len(todos))
	var ids, paths []string
	for _, one := range todos {
		if !seen[one.HelperID] {
			seen[one.HelperID] = true
			ids = append(ids, one.HelperID)
			paths = append(paths, "/people/"+url.PathEscape(one.HelperID))
		}
	}
	if batch {
		return get[[]person](ctx, "/people?"+url.Values{"id": ids}.Encode())
	}
	return getAll[person](ctx, paths)
}

// namesOf gives the name of each person by id; who is not there is nil, and null in JSON.
func namesOf(people []person) map[string]*string {
	names := make(map[string]*string, len(people))
	for number := range people {
		names[people[number].ID] = &people[number].Name
	}
	return names
}

func countOpen(todos []todo) int {
	open := 0
	for _, one := range todos {
		if !one.Done {
			open++
		}
	}
	return open
}
