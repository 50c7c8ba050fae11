// Browsers refuse a Worker to a page that was opened as a file. There the manual's search runs in a hidden
// frame, which has what the search needs of a Worker. From a server it runs in a Worker as ever.
"use strict";

if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      this.ready = new Promise(resolve => {
        frame.addEventListener("load", () => resolve(this.begin(frame.contentWindow, url)), {once: true});
      });
      document.body.append(frame);
    }

    async begin(inside, url) {
      inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", {data}));
      inside.importScripts = async (...urls) => {
        for (const each of urls) await this.load(inside.document, new URL(each, url).href);
      };
      await this.load(inside.document, url);
      return inside;
    }

    load(page, url) {
      const script = page.createElement("script");
      script.src = url;
      return new Promise((resolve, reject) => {
        script.addEventListener("load", resolve);
        script.addEventListener("error", () => reject(new Error(`${url} cannot be read`)));
        page.body.append(script);
      });
    }

    async postMessage(data) {
      const inside = await this.ready;
      inside.dispatchEvent(new inside.MessageEvent("message", {data}));
    }
  };
}
