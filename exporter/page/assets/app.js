// Starts the page: every part subscribes to what it shows, then the documents begin to flow.

import {startAges} from './ages.js';
import {startCharts} from './charts.js';
import {startConfiguration} from './configuration.js';
import {startConnections} from './connections.js';
import {startEnsembles} from './ensembles.js';
import {startEvents} from './events.js';
import {startFacts} from './facts.js';
import {follow, startFeed} from './feed.js';
import {startInside} from './inside.js';
import {startLink} from './link.js';
import {startMargin} from './margin.js';
import {startMembers} from './members.js';
import {model, on} from './model.js';
import {startPicture} from './picture.js';
import {route, startRouter} from './router.js';
import {startSources} from './sources.js';
import {startVerdict} from './verdict.js';

let following = false;
let listed = '';

function arrived() {
  if (!route() && following) return;
  following = true;
  follow();
}

function start() {
  startLink(arrived);
  startVerdict();
  startMargin();
  startFacts();
  startPicture();
  startEvents();
  startCharts();
  startMembers();
  startConnections();
  startConfiguration();
  startSources();
  startEnsembles();
  startInside();
  startRouter(arrived);
  startAges();

  // What "/" shows depends on how many ensembles there are.
  on('status', () => {
    const names = JSON.stringify(model.status.ensembles.map((each) => each.name));
    if (names === listed) return;
    listed = names;
    arrived();
  });

  if (location.pathname === '/') route();
  else arrived();
  startFeed();
}

start();
