-- Copyright (C) The Tailgate authors
--
-- Forward-auth by tailgate-authd for HAProxy 2.6 and newer.
--
--     global
--         lua-load /etc/haproxy/tailgate.lua
--
--     frontend ...
--         http-request lua.tailgate /run/tailgate/authd.sock headers=webauth
--
-- The request to authd is made of what HAProxy knows, and holds nothing that
-- the client sent but its method, host and URI, the headers that choose the form
-- of a denial, and those that override the method. On an allow the headers of
-- the profile and of the policy are removed from the client's request under
-- every spelling that some runtime takes for them ("X_Webauth.User"), and set
-- anew. Anything but an allow ends the request here, with what authd says.

local TIMEOUT = 10000 -- ms

local TEXT = {
    [400] = "This request cannot be read in one way only.",
    [403] = "You may not pass.",
    [503] = "Nobody can be identified at the moment.",
}

-- What of the client's headers authd reads, besides what is stated.
local PASSED = {
    "accept", "content-type", "origin", "access-control-request-method",
    "x-http-method-override", "x-http-method", "x-method-override",
}

-- What of an answer of authd's goes to the client.
local ANSWERED = {
    "content-type", "cache-control", "retry-after", "x-content-type-options",
    "content-security-policy", "x-frame-options", "referrer-policy",
    "grpc-status", "grpc-message",
}

local function fold(name)
    return (name:lower():gsub("[^a-z0-9]", "-"))
end

local function refuse(txn, status)
    -- what is no answer of authd's is an outage, never a pass
    if status ~= 400 and status ~= 403 then
        status = 503
    end

    local reply = txn:reply({ status = status })

    reply:add_header("Content-Type", "text/plain")
    reply:add_header("Cache-Control", "no-store")
    if status == 503 then
        reply:add_header("Retry-After", "5")
    end
    reply:set_body(TEXT[status] .. "\n")

    txn:done(reply)
end

-- A denial or an outage in authd's own words.
local function answer(txn, response)
    local reply = txn:reply({ status = response.status })

    for _, name in ipairs(ANSWERED) do
        local values = response.headers[name]

        if values ~= nil then
            reply:add_header(name, values[0])
        end
    end
    reply:set_body(response.body)

    txn:done(reply)
end

-- The one value of a header of the client's request, nil without one or with
-- several.
local function only(headers, name)
    local values = headers[name]

    if values == nil or values[1] ~= nil then
        return nil
    end

    return values[0]
end

local function ask(txn, headers, socket, arguments)
    local host = only(headers, "host")

    if host == nil then
        return nil
    end

    local stated = {
        ["host"] = { "tailgate-authd" },
        ["remote-addr"] = { txn.f:src() },
        ["remote-port"] = { tostring(txn.f:src_port()) },
        ["tailgate-local-addr"] = { txn.f:dst() },
        ["x-forwarded-method"] = { txn.f:method() },
        ["x-forwarded-host"] = { host },
        ["x-forwarded-uri"] = { txn.f:pathq() },
    }

    for _, name in ipairs(PASSED) do
        if headers[name] ~= nil then
            stated[name] = { headers[name][0] }
        end
    end

    return core.httpclient():get({
        url = "http://127.0.0.1/v1/auth/haproxy?" .. arguments,
        dst = "unix@" .. socket,
        timeout = TIMEOUT,
        headers = stated,
    })
end

local function tailgate(txn, socket, arguments)
    local headers = txn.http:req_get_headers()
    local response = ask(txn, headers, socket, arguments)

    if response == nil then
        refuse(txn, 400)
        return
    end

    if (response.status == 403 or response.status == 503)
        and response.body ~= nil and response.headers["cache-control"] ~= nil
    then
        answer(txn, response)
        return
    end

    if response.status ~= 200 then
        refuse(txn, response.status)
        return
    end

    local managed = {}
    local list = response.headers["tailgate-headers"]

    for name in ((list and list[0]) or ""):gmatch("[^,]+") do
        managed[fold(name)] = name
    end

    for name in pairs(headers) do
        if managed[fold(name)] then
            txn.http:req_del_header(name)
        end
    end

    for _, name in pairs(managed) do
        local values = response.headers[name:lower()]

        if values ~= nil and values[0] ~= "" then
            txn.http:req_set_header(name, values[0])
        end
    end
end

core.register_action("tailgate", { "http-req" }, tailgate, 2)
